namespace Isolation.Interop;

/// <summary>
/// A value made at its first use, once for the process. Unlike <see cref="Lazy{T}"/> it does not remember a failure: who is
/// out of descriptors at the first start may have some at the second.
/// </summary>
internal sealed class Retried<T>(Func<T> make)
{
    private readonly Lock _gate = new();
    private volatile bool _made;
    private T _value = default!;

    internal T Value
    {
        get
        {
            if (_made) return _value;
            lock (_gate)
            {
                if (_made) return _value;
                _value = make();
                _made = true;
                return _value;
            }
        }
    }
}
