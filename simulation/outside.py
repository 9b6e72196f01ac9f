"""The way from a process to what is outside of it: time passes, faults strike, and after each step all is looked at."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.clock import Clock, Killed, running
from simulation.faults import Fault, Faults


@dataclass(slots=True)
class Outside:
    """
    `call` is the only way in which functions reach a provider. `trace` is told of every step, `after` is called when
    one is done.
    """

    clock: Clock
    faults: Faults
    trace: Callable[[str], None]
    after: Callable[[], None] = lambda: None
    harmed: Callable[[set[int]], None] = lambda _: None
    down: Callable[[str], bool] = lambda _: False
    """Whether a provider is down as a whole."""
    calls: int = 0
    _made: Counter[str] = field(default_factory=Counter)

    def call[T](
        self,
        provider: str,
        what: str,
        do: Callable[[], T],
        *,
        refused: Callable[[], Exception],
        lost: Callable[[], Exception] | None = None,
        patience: float = 10.0,
    ) -> T:
        """
        Do it, after half of the latency, and return after the other half.

        A fault raises *refused* or *lost*, or ends the process. A call that takes longer than *patience* (seconds) is
        lost, too.
        """
        task = running()
        if task is None:
            return do()
        process = task.process
        if process is not None and process.dead:
            raise Killed
        self.calls += 1
        scope = f"{task.scope}.{provider}"
        count = self._made[scope]
        self._made[scope] = count + 1
        name = f"{scope}.{count}"
        fault, takes = self.faults.at(name), self.faults.latency(name)
        down = self.down(provider)
        if fault is not None or takes > patience or down:
            self.strike()
        if fault is Fault.DIES_BEFORE:
            self._die(name, what)
        self.clock.sleep(min(takes, patience) / 2)
        if fault is Fault.REFUSED or down:
            self.trace(f"{name} {what}: refused")
            error = refused()
            raise error
        answer = do()
        self.trace(f"{name} {what}")
        self.after()
        if fault is Fault.DIES_AFTER:
            self._die(name, what)
        self.clock.sleep(min(takes, patience) / 2)
        if fault is Fault.LOST or takes > patience:
            self.trace(f"{name} {what}: answer lost")
            raised = lost or refused
            raise raised()
        return answer

    def strike(self) -> None:
        """What this process does is in trouble now."""
        task = running()
        if task is not None:
            self.harmed(task.process.orders if task.process is not None else set())

    def _die(self, name: str, what: str) -> None:
        task = running()
        if task is None or task.process is None:
            return
        self.trace(f"{name} {what}: the process dies")
        task.process.kill()
        raise Killed
