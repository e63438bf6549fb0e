"""Vectors of items by what a catalogue tells of them, mapped to where people who like the same put them.

Terms are weighed by rarity and brought to the directions in which items differ most; a ridge then learns from items
that people touched where to put one that nobody has: its neighbours there are what it is liked with. What speaks for
an item to anybody is learned in the same way, from how many wanted it.
Sources: TF-IDF and LSA as for passages; Gantner et al. 2010, ICDM (attribute-to-feature mapping).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from windlass.errors import NotReady
from windlass.learners.contract import Budget
from windlass.learners.recommend.choosing import best_of, exam_of, mean_of
from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.lessons import Lesson
from windlass.learners.recommend.matrices import matrix
from windlass.predictors.passages.terms import terms
from windlass.predictors.recommend.content import Content
from windlass.predictors.recommend.taste import PLAIN, Taste
from windlass.records import Catalogue

N_TOLD, N_DONE, SEED = 128, 64, 13
"""Directions of what is told, and of what people do."""
MOST_TERMS, RIDGE = 50_000, 10.0
LEAST_TOLD = 20
MOST_OF_NEW = 5_000
"""Users who tell which of the items that were new then they wanted."""


@dataclass(frozen=True)
class ContentSetting:
    """mapped: the share of nearness that is by what people do, the rest is by words. liking: what counts how much an
    item speaks to anybody."""

    mapped: float
    liking: float


YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
YEAR_SECONDS, FIRST = 31_557_600.0, 1970
AGES = (-0.5, 0.5, 1.5, 2.5, 4.5, 9.5)
"""Years that tell items apart by how old they are: not out yet, of this year, of the last one, and so on; then those
that tell no year."""
LIKES, NEW_WEIGHT = 5.0, 0.3
"""Items that the mean of all counts as beside those of an age; what newness counts beside nearness."""


@dataclass(frozen=True)
class Newness:
    """rates: (ages + 2,) how much more than others new items of an age are wanted, 0 on average. Of films of no event
    those of the last years are wanted, the others have been passed over for decades."""

    rates: tuple[float, ...] = (0.0,) * (len(AGES) + 2)


NO_AGES = Newness()
SETTINGS = tuple(ContentSetting(mapped, liking) for mapped in (0.7, 1.0, 0.3) for liking in (0.1, 0.0, 0.3))


class ContentSpace:
    """Fitted once, mixed for each setting. Raises: NotReady: too little is told of the items."""

    def __init__(self, events: Interactions, catalogue: Catalogue) -> None:
        texts = catalogue.texts()
        if sum(map(bool, texts)) < LEAST_TOLD:
            raise NotReady(f"the catalogue tells something of {sum(map(bool, texts))} items, expected {LEAST_TOLD}")
        words = TfidfVectorizer(analyzer=terms, min_df=2, max_features=MOST_TERMS, sublinear_tf=True).fit_transform(
            texts
        )
        liked = matrix(events, PLAIN)
        people = np.asarray((liked > 0).sum(axis=0)).ravel()
        self.is_new = np.bincount(events.items, minlength=events.n_items) == 0
        self.ages = ages_of(texts, float(events.times.max(initial=0.0)))
        n_told = min(N_TOLD, min(words.shape) - 1)
        self.told = unit(TruncatedSVD(n_told, random_state=SEED).fit_transform(words))
        norms = np.sqrt(np.maximum(people, 1))
        scaled = (liked.multiply(1 / norms)).tocsr().T.tocsr()
        n_done = min(N_DONE, min(scaled.shape) - 1)
        done = TruncatedSVD(n_done, random_state=SEED).fit_transform(scaled)
        self.mapped = unit(self._mapped(done, people))
        self.liking = self._mapped(np.log1p(people)[:, None].astype(np.float32), np.ones(len(people)))[:, 0]
        spread = float(self.liking.std())
        self.liking = (self.liking - self.liking.mean()) / spread if spread > 0 else self.liking * 0

    def _mapped(self, goals: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n_items, d): where each item belongs by what is told of it. goals: (n_items, d). weights: (n_items,)."""
        told = np.column_stack([self.told, np.ones(len(self.told))]).astype(np.float64)
        weighed = told * weights[:, None]
        gram = weighed.T @ told + RIDGE * np.eye(told.shape[1])
        return np.asarray(told @ np.linalg.solve(gram, weighed.T @ goals), np.float32)

    def newness_of(self, likes: np.ndarray) -> Newness:
        """likes: (n_items,) how often each was wanted after these events; of the untouched ones it is told by age."""
        ages = self.ages[self.is_new]
        n_ages, mean = len(AGES) + 2, float(likes[self.is_new].mean()) if self.is_new.any() else 0.0
        if not mean:
            return Newness()
        wanted = np.bincount(ages, weights=likes[self.is_new], minlength=n_ages) + LIKES * mean
        rates = np.log(wanted / (np.bincount(ages, minlength=n_ages) + LIKES) / mean)
        spread = float(rates[ages].std())
        return Newness(tuple((rates / spread).tolist())) if spread > 0 else Newness()

    def content(self, setting: ContentSetting, newness: Newness = NO_AGES, taste: Taste = PLAIN) -> Content:
        share = np.float32(setting.mapped)
        vectors = np.concatenate([np.sqrt(share) * self.mapped, np.sqrt(1 - share) * self.told], axis=1)
        fresh = NEW_WEIGHT * np.array(newness.rates)[self.ages]
        liking = np.where(self.is_new, fresh, setting.liking * self.liking)
        return Content(vectors.astype(np.float32), liking.astype(np.float32), taste)


def ages_of(texts: Sequence[str], now: float) -> np.ndarray:
    """(n,) int, places among `AGES` by the last year that is told of each item; one more where none is. now: s."""
    years = [float(found[-1]) if (found := YEAR.findall(each)) else np.nan for each in texts]
    ages = np.floor(FIRST + now / YEAR_SECONDS) - np.array(years, np.float64)
    return np.where(np.isnan(ages), len(AGES) + 1, np.digitize(np.nan_to_num(ages), AGES))


def unit(rows: np.ndarray) -> np.ndarray:
    """(n, d) float32 of length 1; 0 where a row is 0."""
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(sizes > 0, sizes, 1), np.float32)


def content(settings: Sequence[ContentSetting] = SETTINGS) -> Callable[[Lesson, Budget], Content]:
    """What makes it: its setting, and which of the new ones are wanted, are told by validation rows."""
    chosen, newness = [settings[0]], [Newness()]

    def make(lesson: Lesson, left: Budget) -> Content:
        space, exam = ContentSpace(lesson.interactions, lesson.catalogue), exam_of(lesson, MOST_OF_NEW)
        if len(exam):
            liked = np.concatenate([row.liked for row in exam.rows])
            newness[0] = space.newness_of(np.bincount(liked, minlength=exam.n_items))
        if len(exam) and len(settings) > 1:
            few = exam_of(lesson)
            chosen[0] = best_of(settings, lambda each: mean_of(space.content(each), few), left)
        return space.content(chosen[0], newness[0])

    return make
