"""Calls that pause in their midst."""

import threading

import pytest

from sklearn_replearn._runtime.pausing import Call, can_pause, heed_interruption, pause


def test_a_call_runs_to_its_pauses_and_to_its_end():
    seen = []

    def function():
        seen.append(pause("first"))
        return pause("second")

    call = Call(function)
    call.go_on()
    assert call.asked == "first" and not seen
    call.go_on(1)
    assert call.asked == "second" and seen == [1]
    call.go_on(2)
    assert call.asked is None and call.result == 2 and call.error is None


def test_only_one_runs_at_a_time():
    running, most = set(), []

    def function():
        for _ in range(3):
            running.add(threading.get_ident())
            most.append(len(running))
            running.remove(threading.get_ident())
            pause("more")

    calls = [Call(function) for _ in range(5)]
    for _ in range(4):
        for call in calls:
            call.go_on()
    assert max(most) == 1 and len(most) == 15 and all(call.asked is None for call in calls)


def test_an_error_is_kept():
    def function():
        raise ValueError("no")

    call = Call(function)
    call.go_on()
    assert isinstance(call.error, ValueError) and call.asked is None


def test_a_call_ends_where_it_paused():
    closed = []

    def function():
        try:
            pause("more")
        finally:
            closed.append(True)

    call = Call(function)
    call.go_on()
    call.end(KeyError("gone"))
    assert closed and isinstance(call.error, KeyError)


def test_an_interruption_reaches_the_call(monkeypatch):
    inside = threading.Event()

    def function():
        inside.set()
        while True:
            heed_interruption()

    call = Call(function)
    acquire, interrupted = call._outside.acquire, []

    def interrupted_once():
        if not interrupted:
            inside.wait()
            interrupted.append(True)
            raise KeyboardInterrupt
        return acquire()

    monkeypatch.setattr(call, "_outside", type("", (), {})())
    call._outside.acquire, call._outside.release = interrupted_once, acquire.__self__.release
    with pytest.raises(KeyboardInterrupt):
        call.go_on()
    assert isinstance(call.error, KeyboardInterrupt)


def test_elsewhere_nothing_pauses():
    assert not can_pause()
    heed_interruption()
