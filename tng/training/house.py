"""The composition root of training: settings in, the process of the schedules out.

It stands beside ``tng.app`` because the api and the workers have no use for it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import ChainMap
from functools import partial
from pathlib import Path

from tng.adapters.hub_accounts import HubAccounts
from tng.adapters.nvidia import inventory
from tng.app import (
    bell_of,
    build_lookout,
    build_notice_pump,
    build_release_ledger,
    build_retrainings,
    build_shelf,
    build_store,
    build_sweep,
    clock_of,
    mail_server_of,
)
from tng.bell import Topic
from tng.customer_mails import AddressOf, MailPump
from tng.gpus.ledger import GpuLedger
from tng.jobs import NOTICE
from tng.log import FaultCounter
from tng.lookout import REPORT_SECONDS, hand_over
from tng.notices import NoticePump
from tng.ports import Clock, NotebookRunner, Store
from tng.settings import ROOT, Settings
from tng.shows import read_show
from tng.training.desk import TrainingDesk
from tng.training.gpus import TrainingGpus, orders_are_owed
from tng.training.model_records import ModelRecords
from tng.training.places import TrainingPlaces
from tng.training.retraining import Retrainings
from tng.training.run_archive import Attic, RunArchive
from tng.training.scheduler import Chore, LazyRunner, Scheduler
from tng.training.timetable import Timetable
from tng.worker import Worker

NOTEBOOKS = ROOT / "notebooks" / "runs"
TICK_SECONDS = 5.0
TELL_SECONDS = 3.0
MIRROR_SECONDS = 30.0
CLEAR_SECONDS = 3600.0
SWEEP_SECONDS = 24 * 3600.0


def places_of(settings: Settings) -> TrainingPlaces:
    """Where this house keeps what it trains on and with. Raises ShowError."""
    return TrainingPlaces(
        shop=settings.shop_folder,
        releases=settings.releases_folder,
        episodes=settings.home.resolve() / "corpus",
        show=settings.show.resolve(),
        show_id=read_show(settings.show).id,
    )


def build_timetable(settings: Settings, *, store: Store | None = None) -> Timetable:
    """The schedules of the house. Raises SettingsError, StoreBusy."""
    book = store or build_store(settings)
    return Timetable(book, clock_of(book), build_house_retrainings(settings, store=book))


def build_house_retrainings(settings: Settings, *, store: Store) -> Retrainings:
    """The retrainings of the house, with its ledger."""
    return build_retrainings(settings, store=store, ledger=build_release_ledger(settings, store=store))


def build_scheduler(settings: Settings, faults: FaultCounter, *, notebooks: Path = NOTEBOOKS) -> Scheduler:
    """The process of the schedules. It needs the database and the shop's folder, and no key of Stripe or Google.

    Raises SettingsError, ShowError, StoreBusy.
    """
    store, places = build_store(settings), places_of(settings)
    ledger = build_release_ledger(settings, store=store)
    retrainings = build_retrainings(settings, store=store, ledger=ledger)
    name = f"{socket.gethostname()}:{os.getpid()}"
    gpus = build_training_gpus(settings, name, store)
    archive = RunArchive(places, settings.runs_folder, _write_page)
    desk = TrainingDesk(store, clock_of(store), retrainings, ledger, places, gpus, keep_notebooks=archive.keep)
    runner = LazyRunner(partial(_build_runner, settings, gpus.environment, notebooks))
    worker = Worker(
        desk,
        runner,
        name=name,
        runs_folder=settings.runs_folder,
        lease_seconds=settings.lease_seconds,
        bell=bell_of(store, Topic.JOBS),
    )
    stopping = threading.Event()
    return Scheduler(worker, desk, _chores(settings, store, places, retrainings, faults, stopping), stopping)


def _chores(
    settings: Settings,
    store: Store,
    places: TrainingPlaces,
    retrainings: Retrainings,
    faults: FaultCounter,
    stopping: threading.Event,
) -> list[list[Chore]]:
    """What is looked at again and again: quick things, what operators are told, and what may take a minute."""
    clock = clock_of(store)
    timetable = Timetable(store, clock, retrainings)
    pump, lookout = build_notice_pump(settings, store=store), build_lookout(settings, store=store)
    records = ModelRecords(store, build_shelf(settings), places, stopping)
    attic = Attic(store, clock, places, settings.runs_folder, keep_days=settings.keep_days)
    quick = [
        Chore("retrainings that were decided", TICK_SECONDS, retrainings.settle_decided),
        Chore("schedules", TICK_SECONDS, timetable.tick),
        Chore("faults", REPORT_SECONDS, partial(hand_over, faults, lookout)),
        Chore("scripts of customers", TICK_SECONDS, partial(forget_delivered, store, places)),
    ]
    slow = [
        Chore("MLflow's records", MIRROR_SECONDS, records.look),
        Chore("what is old", CLEAR_SECONDS, attic.clear),
        Chore("what is kept no longer", SWEEP_SECONDS, build_sweep(settings, store=store).run),
    ]
    telling = [Chore("notices", TELL_SECONDS, partial(tell_operators, store, pump))]
    return [group for group in (quick, telling, _writing_to_customers(settings, store), slow) if group]


def _writing_to_customers(settings: Settings, store: Store) -> list[Chore]:
    """Nothing where customers get no mails. Raises SettingsError where the hub did not start this process."""
    if not settings.mail_customers:
        return []
    accounts = HubAccounts.from_environment(os.environ)
    pump = build_mail_pump(settings, accounts.address_of, store=store)
    return [Chore("mails to customers", TELL_SECONDS, pump.run)]


def build_mail_pump(
    settings: Settings, address_of: AddressOf, *, store: Store | None = None, clock: Clock | None = None
) -> MailPump:
    """What writes to customers: for the scheduler, the only process that is given the mail server. Raises ShowError."""
    store = store or build_store(settings)
    return MailPump(
        store,
        clock or clock_of(store),
        address_of=address_of,
        send=mail_server_of(settings).write,
        product=read_show(settings.show).product,
        public_url=settings.public,
    )


def build_training_gpus(settings: Settings, name: str, store: Store) -> TrainingGpus:
    """What decides when a training may run, and on what."""
    gpus = [gpu.uuid for gpu in inventory(os.environ.get("CUDA_VISIBLE_DEVICES"))]
    ledger = GpuLedger(store, clock_of(store), host=socket.gethostname(), order_gpus=settings.order_gpus)
    return TrainingGpus(ledger, name, gpus, partial(orders_are_owed, store))


def tell_operators(store: Store, pump: NoticePump) -> None:
    """Deliver notices where some are owed: nobody is locked out for a look. Raises StoreBusy."""
    with store.read() as work:
        owed = work.counts.errands(NOTICE)
    if owed:
        pump.run()


def forget_delivered(store: Store, places: TrainingPlaces) -> None:
    """Remove customers' scripts that were laid out for a retraining which is over. Raises StoreBusy."""
    with store.read() as work:
        retraining = work.retrainings.open()
    places.forget_delivered(retraining.id if retraining else None)


def _build_runner(settings: Settings, gpus: dict[str, str], notebooks: Path) -> NotebookRunner:
    """Papermill and Jupyter are imported with the first notebook that is run."""
    from tng.adapters.notebook_runner import PapermillRunner

    return PapermillRunner(
        notebooks,
        preload={},
        spare=0,
        cell_seconds=0,
        lease_seconds=settings.lease_seconds,
        environment=ChainMap({}, gpus, {"TF_FORCE_GPU_ALLOW_GROWTH": "true", **os.environ}),
    )


def _write_page(notebook: Path, page: Path) -> None:
    from tng.adapters.notebook_pages import write_page

    write_page(notebook, page)
