"""Fast.io's workspaces and folders, looked through by a person at a terminal, or by a path."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.filesize import decimal

from operate.answers import Misasked
from operate.printing import printable
from paidshare.shares_fastio import Entry, FastioStorage, Workspace

_SHOWN = 40
_SEPARATOR = "/"

type Ask = Callable[[str], str]
type Say = Callable[[str], None]


@dataclass
class Browser:
    """Asks with *ask* (which may raise typer.Abort), and shows with *say*."""

    storage: FastioStorage
    ask: Ask
    say: Say
    _picked: dict[str, Entry] = field(default_factory=dict)

    def workspace(self) -> Workspace:
        """The one that is chosen, or the only one. Raises Misasked where there is none."""
        found = sorted(self.storage.workspaces(), key=lambda one: one.name)
        if not found:
            raise Misasked("Fast.io shows no workspace to the key's account: make one there, and put files into it")
        if len(found) == 1:
            return found[0]
        self.say("Workspaces:")
        for number, one in enumerate(found, 1):
            self.say(f"  {number:>3}  {one.name}")
        while True:
            answer = self.ask("Which workspace (its number)")
            if (chosen := _numbered(answer, found)) is not None:
                return chosen
            self.say(f"A number from 1 to {len(found)}, please.")

    def nodes(self, workspace: Workspace) -> list[Entry]:
        """What is picked: files, or folders whose files are all meant. Never nothing."""
        way: list[Entry] = []
        narrowed = ""
        self.say("A number opens a folder, or picks a file. “.” picks the folder that is open, “..” goes up,")
        self.say("a part of a name shows what has it, and an empty line ends it.")
        while True:
            inside = self.storage.inside(workspace.id, way[-1].id if way else "root")
            shown = [one for one in inside if narrowed.lower() in one.name.lower()]
            self._show(workspace, way, shown)
            match answer := self.ask("Number, . or .. or a part of a name").strip():
                case "":
                    if self._picked:
                        return [*self._picked.values()]
                    self.say("Nothing is picked yet.")
                    narrowed = ""
                case "..":
                    way, narrowed = way[:-1], ""
                case ".":
                    if way:
                        self._turn(way[-1])
                    else:
                        self.say("All of a workspace cannot be sold: open a folder of it.")
                case _:
                    way, narrowed = self._chosen(answer, shown, way)

    def _chosen(self, answer: str, shown: Sequence[Entry], way: list[Entry]) -> tuple[list[Entry], str]:
        """Where it goes on, and what the list is narrowed to."""
        chosen = _numbered(answer, shown[:_SHOWN])
        if chosen is None:
            return way, answer
        if chosen.kind == "folder":
            return [*way, chosen], ""
        self._turn(chosen)
        return way, ""

    def _turn(self, entry: Entry) -> None:
        """Picked, or no more."""
        if self._picked.pop(entry.id, None) is None:
            self._picked[entry.id] = entry

    def _show(self, workspace: Workspace, way: Sequence[Entry], shown: Sequence[Entry]) -> None:
        self.say(_SEPARATOR.join([workspace.name, *(one.name for one in way)]) + ":")
        for number, one in enumerate(shown[:_SHOWN], 1):
            mark = "✓" if one.id in self._picked else " "
            self.say(f"  {number:>3} {mark} {named(one)}")
        if len(shown) > _SHOWN:
            self.say(f"      and {len(shown) - _SHOWN} more: type a part of the name")
        if not shown:
            self.say("      nothing")
        if self._picked:
            self.say("Picked: " + ", ".join(map(named, self._picked.values())))


def at_path(storage: FastioStorage, workspace: str, path: str) -> Entry:
    """What lies at *path* (names with `/` between them). Raises Misasked, saying what there is instead."""
    parts = [part for part in path.split(_SEPARATOR) if part]
    if not parts:
        raise Misasked("--path names a folder or a file: all of a workspace cannot be sold")
    folder, entry = "root", None
    for depth, part in enumerate(parts):
        if entry is not None and entry.kind == "file":
            raise Misasked(f"{_SEPARATOR.join(parts[:depth])} is a file, and holds no {part}")
        inside = storage.inside(workspace, folder)
        entry = next((one for one in inside if one.name == part), None)
        if entry is None:
            where = _SEPARATOR.join(parts[:depth]) or "the workspace"
            near = difflib.get_close_matches(part, [one.name for one in inside], n=3)
            raise Misasked(f"{where} holds no {part}" + (f"; is {' or '.join(near)} meant?" if near else ""))
        folder = entry.id
    if entry is None:
        raise AssertionError(path)
    return entry


def named(entry: Entry) -> str:
    """As a person knows it."""
    if entry.kind == "folder":
        return f"{printable(entry.name)}/"
    return printable(entry.name) + (f" ({decimal(entry.size)})" if entry.size is not None else "")


def _numbered[T](answer: str, of: Sequence[T]) -> T | None:
    answer = answer.strip()
    return of[int(answer) - 1] if answer.isdecimal() and 1 <= int(answer) <= len(of) else None
