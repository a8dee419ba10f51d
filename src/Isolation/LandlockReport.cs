using System.Text;
using Isolation.Planning;

namespace Isolation;

/// <summary>What the kernel enforces of a <see cref="LandlockPolicy"/>, and what it cannot.</summary>
public sealed record LandlockReport
{
    internal LandlockReport(LandlockPolicy policy, int abi)
    {
        Abi = abi;
        HandledAccess = policy.HandledAccess & LandlockAbi.Access(abi);
        HandledNetworkAccess = policy.HandledNetworkAccess & LandlockAbi.NetworkAccess(abi);
        Scopes = policy.Scopes & LandlockAbi.Scopes(abi);
        MissingAccess = policy.HandledAccess & ~HandledAccess;
        MissingNetworkAccess = policy.HandledNetworkAccess & ~HandledNetworkAccess;
        MissingScopes = policy.Scopes & ~Scopes;
        Log = policy.Log & LandlockAbi.Log(abi);
        MissingLog = policy.Log & ~Log;
    }

    /// <summary>The version of the kernel's Landlock; 0: none.</summary>
    public int Abi { get; }

    /// <summary>The rights to files that are denied where no rule allows them.</summary>
    public LandlockAccess HandledAccess { get; }

    /// <summary>The uses of TCP ports that are denied where no rule allows them.</summary>
    public LandlockNetworkAccess HandledNetworkAccess { get; }

    /// <summary>What stays inside.</summary>
    public LandlockScopes Scopes { get; }

    /// <summary>What is logged.</summary>
    public LandlockLog Log { get; }

    /// <summary>Rights that were to be denied and are not. Of <see cref="LandlockAccess.Refer"/> the opposite is true: see <see cref="DeniesRefer"/>.</summary>
    public LandlockAccess MissingAccess { get; }

    /// <summary>Uses of TCP ports that were to be denied and are not.</summary>
    public LandlockNetworkAccess MissingNetworkAccess { get; }

    /// <summary>What was to stay inside and does not.</summary>
    public LandlockScopes MissingScopes { get; }

    /// <summary>What was asked for of the log and cannot be had.</summary>
    public LandlockLog MissingLog { get; }

    /// <summary>The program is restricted in some way.</summary>
    public bool IsEnforced => HandledAccess != 0 || HandledNetworkAccess != 0 || Scopes != 0;

    /// <summary>The kernel does all that the policy asks for.</summary>
    public bool IsComplete => MissingAccess == 0 && MissingNetworkAccess == 0 && MissingScopes == 0 && MissingLog == 0;

    /// <summary>
    /// Nothing can be linked or moved from one folder to another, whatever the rules allow: the kernel denies it by itself where it is not handled, and
    /// with ABI 1 it cannot be.
    /// </summary>
    public bool DeniesRefer => HandledAccess != 0 && (HandledAccess & LandlockAccess.Refer) == 0;

    /// <summary>What is enforced, and what is missing.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("Landlock ");
        if (Abi == 0) text.Append("is not there");
        else text.Append("ABI ").Append(Abi);
        text.Append(IsEnforced ? "; enforced: " : "; nothing is enforced");
        List(text, HandledAccess, HandledNetworkAccess, Scopes, Log);
        if (!IsComplete)
        {
            text.Append("; missing: ");
            List(text, MissingAccess, MissingNetworkAccess, MissingScopes, MissingLog);
        }

        if (DeniesRefer) text.Append("; Refer is always denied");
        return text.ToString();
    }

    internal static void List(StringBuilder text, LandlockAccess access, LandlockNetworkAccess network, LandlockScopes scopes, LandlockLog log)
    {
        var separator = "";
        Add(access);
        Add(network);
        Add(scopes);
        Add(log);

        void Add<T>(T value) where T : struct, Enum
        {
            if (value.Equals(default(T))) return;
            text.Append(separator).Append(value);
            separator = ", ";
        }
    }
}
