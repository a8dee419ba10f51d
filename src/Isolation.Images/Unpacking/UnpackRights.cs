using Isolation.Interop;

namespace Isolation.Images.Unpacking;

/// <summary>What the user who unpacks may do.</summary>
/// <param name="CanChangeOwner">Files get the owners that the image names; otherwise all belong to this user.</param>
/// <param name="IsUnrestricted">May write into any folder, whatever its mode.</param>
internal readonly record struct UnpackRights(bool CanChangeOwner, bool IsUnrestricted)
{
    internal static UnpackRights OfThisProcess()
    {
        var capabilities = Kernel.EffectiveCapabilities();
        return new((capabilities >> Linux.CAP_CHOWN & 1) != 0, (capabilities >> Linux.CAP_DAC_OVERRIDE & 1) != 0);
    }
}
