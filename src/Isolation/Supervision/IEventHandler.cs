namespace Isolation.Supervision;

/// <summary>Told by the event loop, on its thread, that a descriptor is ready. Must be quick, must not block, must bear a call too many.</summary>
internal interface IEventHandler
{
    void OnReady(uint events);
}
