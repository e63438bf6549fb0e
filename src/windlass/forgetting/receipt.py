"""What is left when a document was forgotten: a receipt without a word of it."""

from dataclasses import dataclass, field

from windlass.pages.text.words import count


@dataclass(frozen=True)
class Probes:
    """What was asked and looked through afterwards, and what still knew it: each 0, or the command fails.

    asked: title and sentences. index: those whose answer or passages were of the document, or quoted it. files: of the
    store, read one by one; traces: those that quote it. log, feedback, jobs, people_answers: entries that do. shared:
    sentences that other documents have to the letter, and that may be answered from there. short: such as `Yes.`,
    looked for as a whole text alone.
    """

    asked: int = 0
    index: int = 0
    files: int = 0
    traces: tuple[str, ...] = ()
    log: int = 0
    feedback: int = 0
    jobs: int = 0
    people_answers: int = 0
    shared: int = 0
    short: int = 0

    @property
    def hits(self) -> int:
        return self.index + len(self.traces) + self.log + self.feedback + self.jobs + self.people_answers


@dataclass(frozen=True)
class Receipt:
    """document: its path. contents: SHA-256 of its files and texts. passages: of the store. emptied, left_out:
    questions whose right answer is now to refuse, and such as are not read any more. learned: rows that `improve` had
    made. people_kept: answers of people that stay. destroyed: ids of
    releases. release: the champion now, '' where there is none; fault: why. removed: files of
    the store that the next run makes anew. still_there: files of the user's own that hold it, and are not read."""

    document: str
    at: str
    contents: tuple[str, ...]
    passages: int = 0
    emptied: int = 0
    left_out: int = 0
    answers: int = 0
    feedback: int = 0
    jobs: int = 0
    people_answers: int = 0
    people_kept: int = 0
    learned: int = 0
    destroyed: tuple[str, ...] = ()
    release: str = ""
    fault: str = ""
    insisted: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    still_there: tuple[str, ...] = ()
    probes: Probes = field(default_factory=Probes)
    seconds: float = 0.0

    def __str__(self) -> str:
        probes = self.probes
        hashes = ", ".join(each[:12] for each in self.contents[:2]) or "not known"
        gone = ", ".join(self.destroyed) or "none held it"
        lines = [
            f"forgotten: {self.document} (SHA-256 {hashes}) in {self.seconds:.1f} s",
            f"  passages   {count(self.passages)} taken out",
            f"  questions  {count(self.emptied)} had their answer there and are now to be refused, "
            f"{count(self.left_out)} quoted it and are left out",
            f"  log        deleted: {count(self.answers)} answers, {count(self.feedback)} feedback, {count(self.jobs)} "
            f"jobs, {count(self.people_answers)} answers of people, {count(self.learned)} rows of `improve`",
            f"  releases   destroyed: {gone}",
            f"  champion   {self.release or f'none: {self.fault}'}",
            f"  probes     {count(probes.asked)} questions (its title and each sentence), {count(probes.files)} files, "
            f"log, feedback: {count(probes.hits)} hits",
        ]
        if probes.shared or probes.short:
            lines.append(f"             {count(probes.shared)} sentences stand in other documents, too; "
                         f"{count(probes.short)} are too short to tell inside of other texts")  # fmt: skip
        lines += [f"  note       the new release misses: {each}" for each in self.insisted]
        if self.emptied or self.people_kept:
            lines.append(f"  note       kept: {count(self.emptied)} questions without their answer, "
                         f"{count(self.people_kept)} answers of people: their words may be on the same matter and are "
                         "not its sentences, so no probe looks for them")  # fmt: skip
        lines += [f"  note       {each} still holds it and is yours to delete; Windlass does not read it from there"
                  for each in self.still_there]  # fmt: skip
        return "\n".join(lines)
