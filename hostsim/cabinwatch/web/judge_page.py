"""The page that judges: the conformance run as it goes, a campaign's counts, and what they find, one click away."""

from collections.abc import Callable

from nicegui import ui

from cabinwatch.text import shown
from cabinwatch.verify.conform.requirements import ROLES
from cabinwatch.web.controls import heading
from cabinwatch.web.judging import Campaign, Conformance, Found
from cabinwatch.web.page import STYLE

REFRESH_S = 0.5
NODES = ("cpython", "micropython", "microbit", "host")
"""What may be judged from a browser; a node of one's own is named on the command line: a page starts no programs."""


class Desk:
    """What is judged at present, of all clients; ``named``: the node that the command line named, or empty."""

    def __init__(self, named: str = "") -> None:
        self.nodes = [named, *NODES] if named else list(NODES)
        self.conformance: Conformance | None = None
        self.campaign: Campaign | None = None

    def stop(self) -> None:
        """End what runs."""
        for work in (self.conformance, self.campaign):
            if work is not None:
                work.stop()


class JudgePage:
    """One client's view of the desk; ``play`` shows a found scenario and returns its page's path."""

    def __init__(self, desk: Desk, play: Callable[[Found], str]) -> None:
        self.desk = desk
        self.play = play
        self.shown_cases: tuple[object, int] = (None, 0)
        self.shown_found: tuple[object, int] = (None, 0)

    def build(self) -> None:
        """Make the page."""
        ui.add_head_html(STYLE)
        ui.dark_mode(None)  # as the reader's system is
        with ui.column().classes("w-full max-w-screen-xl mx-auto gap-3 p-2"):
            ui.link("Back to the cabin", "/")
            with ui.card().classes("w-full"):
                ui.label("A node against SPEC.md").classes("text-lg font-bold").props(heading(1))
                with ui.row().classes("items-end gap-2"):
                    self.node = ui.select(self.desk.nodes, value=self.desk.nodes[0], label="node")
                    self.role = ui.select(list(ROLES), value="transducer", label="role")
                    self.judge = ui.button("Judge", on_click=self._conform).props(
                        "dense no-caps data-mark='judge'"
                    )
                self.verdict = ui.label().classes("font-bold").props("data-mark='verdict' role='status'")
                self.failures = ui.column().classes("w-full gap-1").props("data-mark='failures'")
                self.cases = ui.log(max_lines=400).classes("lines w-full h-80 text-xs")
                self.cases.props("data-mark='cases' role='log' aria-label='cases'")
            with ui.card().classes("w-full"):
                ui.label("The firmware in random worlds").classes("text-lg font-bold").props(heading(1))
                with ui.row().classes("items-end gap-2"):
                    self.seed = ui.input("seed", value="0")
                    self.runs = ui.number("runs", value=100, min=1, max=100_000, precision=0)
                    self.begin = ui.button("Begin", on_click=self._campaign).props(
                        "dense no-caps data-mark='begin'"
                    )
                self.counts = ui.label().classes("font-bold").props("data-mark='counts' role='status'")
                self.found = ui.column().classes("w-full gap-1").props("data-mark='found'")
        ui.timer(REFRESH_S, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how far it is."""
        conformance, campaign = self.desk.conformance, self.desk.campaign
        if conformance is not None:
            self._show_cases(conformance)
        if campaign is not None:
            self._show_found(campaign)
        self.judge.set_text("Stop" if conformance is not None and conformance.is_alive() else "Judge")
        self.begin.set_text("Stop" if campaign is not None and campaign.is_alive() else "Begin")

    def _show_cases(self, conformance: Conformance) -> None:
        self.verdict.set_text(shown(conformance.summary()))
        which, begin = self.shown_cases
        if which is not conformance:
            begin = 0
            self.cases.clear()
            self.failures.clear()
        judged = conformance.judged[begin:]
        for one in judged:
            self.cases.push(shown(one.line))
            if one.failed:
                with self.failures, ui.expansion(shown(one.line)).classes("w-full text-negative"):
                    ui.label(one.details).classes("whitespace-pre-wrap font-mono text-xs break-all")
        self.shown_cases = conformance, begin + len(judged)

    def _show_found(self, campaign: Campaign) -> None:
        self.counts.set_text(shown(campaign.summary()))
        which, begin = self.shown_found
        if which is not campaign:
            begin = 0
            self.found.clear()
        found = campaign.found[begin:]
        for one in found:
            with self.found, ui.row().classes("items-center gap-2"):
                ui.button("Play it", on_click=lambda one=one: ui.navigate.to(self.play(one))).props(
                    "dense no-caps"
                )
                ui.label(shown(one.text))
                ui.label(one.command).classes("font-mono text-xs")
        self.shown_found = campaign, begin + len(found)

    # -- what a person does

    def _conform(self) -> None:
        if self.desk.conformance is not None and self.desk.conformance.is_alive():
            self.desk.conformance.stop()
            return
        self.desk.conformance = Conformance(str(self.node.value), str(self.role.value))
        self.desk.conformance.start()

    def _campaign(self) -> None:
        if self.desk.campaign is not None and self.desk.campaign.is_alive():
            self.desk.campaign.stop()
            return
        self.desk.campaign = Campaign(str(self.seed.value), int(self.runs.value or 1))
        self.desk.campaign.start()
