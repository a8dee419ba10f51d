using Isolation.Interop;
using Isolation.Supervision;

namespace Isolation.Launching;

// How the host follows the stage on its way: by futexes in the arena, or where there is one, by the status pipe.
internal sealed partial class PendingLaunch
{
    /// <summary>With a monitor there is nothing to be done before it has made the sandbox's first process.</summary>
    private void Meet()
    {
        if (!Arena.Plan.Forks) return;
        if (_statusRead >= 0)
        {
            while (!HasChild)
            {
                WaitForStatus();
                if (IsAtEnd()) break;
            }
        }
        else if (Arena.WaitForChild(_pidfd, _deadline) < 0)
        {
            throw TimedOut();
        }

        MeetChild();
    }

    private async Task MeetAsync(CancellationToken cancellationToken)
    {
        if (!Arena.Plan.Forks) return;
        while (!HasChild)
        {
            await WaitForStatusAsync(cancellationToken).ConfigureAwait(false);
            if (IsAtEnd()) break;
        }

        MeetChild();
    }

    private bool HasChild => (Arena.Plan.HasForwarder ? Forwarded : Volatile.Read(ref Arena.Header.Child)) != 0;

    /// <summary>Answers what is asked until the stage has ended. What was asked and is not answered yet is the release of a parked start.</summary>
    private void GoOn()
    {
        if (_parked) Answer();
        while (_question < Arena.Plan.Questions.Count && WaitForQuestion()) Answer();
        if (_statusRead < 0)
        {
            if (!Arena.WaitForEnd(_pidfd, _deadline)) throw TimedOut();
            return;
        }

        do WaitForStatus();
        while (!IsAtEnd());
    }

    private async Task GoOnAsync(CancellationToken cancellationToken)
    {
        if (_parked) Answer();
        while (_question < Arena.Plan.Questions.Count && await WaitForQuestionAsync(cancellationToken).ConfigureAwait(false)) Answer();
        do await WaitForStatusAsync(cancellationToken).ConfigureAwait(false);
        while (!IsAtEnd());
    }

    private void Answer()
    {
        Arena.Plan.Questions[_question - 1].Answer(this);
        Arena.ReleaseStage(_question);
    }

    /// <summary>Waits for the next question; false when the stage has ended instead.</summary>
    private bool WaitForQuestion()
    {
        if (_statusRead >= 0)
        {
            while (!HasAsked)
            {
                WaitForStatus();
                if (IsAtEnd()) break;
            }

            return TakeQuestion();
        }

        var asked = Arena.WaitForQuestion(_question + 1, _innerPidfd >= 0 ? _innerPidfd : _pidfd, _deadline);
        if (asked < 0) throw TimedOut();
        if (asked == 0) return false;
        _question++;
        return true;
    }

    private async Task<bool> WaitForQuestionAsync(CancellationToken cancellationToken)
    {
        while (!HasAsked)
        {
            await WaitForStatusAsync(cancellationToken).ConfigureAwait(false);
            if (IsAtEnd()) break;
        }

        return TakeQuestion();
    }

    private bool HasAsked => Volatile.Read(ref Arena.Header.Asked) > _question;

    private bool TakeQuestion()
    {
        if (!HasAsked) return false;
        _question++;
        return true;
    }

    /// <summary>
    /// Takes a word from the status pipe: false; or true at its end, when nobody is left who could say one. A word only tells to look:
    /// which one it is does not say what has happened, as two processes may speak at once and one may be killed before it does.
    /// </summary>
    private bool IsAtEnd()
    {
        Span<byte> word = stackalloc byte[1];
        nint result;
        do result = Kernel.read(_statusRead, word);
        while (result == -(int)Errno.EINTR);
        return result <= 0;
    }

    /// <summary>The child has its own copies of everything by now.</summary>
    private void Settle()
    {
        _streams.TakeTerminal();
        _parked = true;
        _deadline = long.MaxValue;
        _streams.CloseProgramEnds();
        CloseMounts();
    }

    private void WaitForStatus()
    {
        Span<pollfd> wait = [new pollfd { fd = _statusRead, events = Linux.POLLIN }];
        TimeSpan? limit = _deadline == long.MaxValue ? null : TimeSpan.FromMilliseconds(Math.Max(0, _deadline - Environment.TickCount64));
        if (Kernel.poll(wait, limit) == 0) throw TimedOut();
    }

    private async Task WaitForStatusAsync(CancellationToken cancellationToken)
    {
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watch = EventLoop.Instance.WatchOnce(_statusRead, this);
        try
        {
            await using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), _ready))
                await _ready.Task.ConfigureAwait(false);
        }
        finally
        {
            EventLoop.Instance.Forget(watch, _statusRead);
        }
    }
}
