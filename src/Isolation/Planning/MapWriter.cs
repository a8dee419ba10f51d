namespace Isolation.Planning;

/// <summary>Who writes a map of ids, user_namespaces(7): it takes privileges over the parent namespace, but for one id of one's own.</summary>
internal enum MapWriter : byte
{
    /// <summary>There is no user namespace.</summary>
    Nobody,

    /// <summary>The child itself, the one id of the host's user.</summary>
    Child,

    /// <summary>This process, which has CAP_SETUID and CAP_SETGID.</summary>
    Host,

    /// <summary>newuidmap(1) or newgidmap(1), which have them, at the host's request.</summary>
    Helper,
}
