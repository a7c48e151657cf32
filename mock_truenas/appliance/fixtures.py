"""The ready-made appliances, as data. Those with hundreds of things are made when first asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from mock_truenas.appliance import peripherals
from mock_truenas.appliance.builder import NasBuilder
from mock_truenas.appliance.plans import AlertPlan, DatasetPlan, DiskPlan, Fixture, PoolPlan, VdevPlan

_TB4: Final = 4_000_787_030_016
_TB12: Final = 12_000_138_625_024
_TB18: Final = 18_000_207_937_536
_GIB: Final = 1024**3
_UPDATE_TEXT: Final = "A system update is available. Go to System > Update to download and apply it."


def _hdds(names: str, model: str, serial: str, size: int, warmest: int) -> tuple[DiskPlan, ...]:
    return tuple(DiskPlan(name, model, serial, size, warmest - place % 4) for place, name in enumerate(names.split()))


def _plain(pool: str, **own: int) -> tuple[DatasetPlan, ...]:
    """Filesystems below a pool; ``_in_`` in a name is a level: media_in_films is media/films."""
    return tuple(DatasetPlan(f"{pool}/{name.replace('_in_', '/')}", size, size // 20) for name, size in own.items())


BASELINE: Final = Fixture(
    hostname="truenas",
    model="Intel(R) Xeon(R) E-2224 CPU @ 3.40GHz",
    cores=4,
    physical_cores=4,
    memory=16 * _GIB,
    manufacturer="Supermicro",
    product="X11SCL-F",
    ecc_memory=True,
    up_days=16,
    typical_load=0.35,
    boot_disk=None,
    disks=(
        *_hdds("sda sdb", "WDC WD40EFRX-68N32N0", "WD-WCC7K", _TB4, 34),
        DiskPlan("sdc", "ST4000VN006-3CW104", "ZW60", _TB4, 31),
        DiskPlan("nvme0n1", "Samsung SSD 980 1TB", "S649N", 1_000_204_886_016, 41, "SSD", "NVME"),
    ),
    pools=(
        PoolPlan("tank", (VdevPlan("MIRROR", ("sda", "sdb")),), 7, 133, 312),
        PoolPlan("fast", (VdevPlan("DISK", ("nvme0n1",)),), 12, 85, 9),
        PoolPlan("backup", (VdevPlan("DISK", ("sdc",)),), 1, 301, 204),
    ),
    datasets=(
        DatasetPlan("tank", 0),
        DatasetPlan(
            "tank/documents", 812, 41, settings={"compression": "zstd", "comments": "Shared documents"}, grows=24 << 20
        ),
        DatasetPlan("fast", 0),
        DatasetPlan("fast/vm-disk", 61, 4, volume=100),
        DatasetPlan("backup", 1630, 0),
    ),
    tables=peripherals.baseline,
)

SMALL_OFFICE: Final = Fixture(
    hostname="office-nas",
    model="AMD Ryzen Embedded V1500B",
    cores=8,
    physical_cores=4,
    memory=32 * _GIB,
    manufacturer="iXsystems",
    product="TRUENAS-MINI-R",
    ecc_memory=True,
    up_days=43,
    typical_load=0.8,
    boot_disk="sdd",
    disks=(
        *_hdds("sda sdb sdc", "ST12000VN0008-2YS101", "ZRT0", _TB12, 37),
        DiskPlan("sdd", "KINGSTON SA400S37120G", "50026B77", 120_034_123_776, None, "SSD"),
    ),
    pools=(PoolPlan("office", (VdevPlan("RAIDZ1", ("sda", "sdb", "sdc")),), 4, 60, 611),),
    datasets=(
        DatasetPlan("office", 0),
        DatasetPlan("office/shares", 2210, 184, settings={"atime": "on", "quota": str(8192 * _GIB)}, grows=90 << 20),
        DatasetPlan("office/payroll", 37, 6, encrypted=True, settings={"comments": "Encrypted at rest"}),
        DatasetPlan("office/archive", 4120, 0, readonly=True, settings={"compression": "zstd-9"}),
        DatasetPlan("office/erp-vm", 248, 33, volume=320),
    ),
    alerts=(AlertPlan("HasUpdate", "INFO", _UPDATE_TEXT, None, 30),),
    tables=peripherals.small_office,
    update="next",
    ups="ups",
)

HOMELAB: Final = Fixture(
    hostname="homelab",
    model="Intel(R) Core(TM) i5-12600K",
    cores=16,
    physical_cores=10,
    memory=128 * _GIB,
    manufacturer="ASUSTeK COMPUTER INC.",
    product="System Product Name",
    ecc_memory=False,
    up_days=9,
    typical_load=2.4,
    boot_disk="sdi",
    disks=(
        *_hdds("sda sdb sdc sdd sde sdf", "ST18000NM000J-2TV103", "ZR5", _TB18, 42),
        *_hdds("sdg sdh sdj", "HGST HDN726040ALE614", "K7J", _TB4, 39),
        DiskPlan("sdi", "INTEL SSDSC2KB240G8", "PHYF9", 240_057_409_536, 29, "SSD"),
        DiskPlan("nvme0n1", "Samsung SSD 990 PRO 2TB", "S7DN", 2_000_398_934_016, 46, "SSD", "NVME"),
        DiskPlan("nvme1n1", "Samsung SSD 990 PRO 2TB", "S7DN", 2_000_398_934_016, 47, "SSD", "NVME"),
    ),
    pools=(
        PoolPlan("tank", (VdevPlan("RAIDZ2", ("sda", "sdb", "sdc", "sdd", "sde", "sdf")),), 9, 210, 1190),
        PoolPlan("flash", (VdevPlan("MIRROR", ("nvme0n1", "nvme1n1")),), 31, 34, 14),
        PoolPlan("vault", (VdevPlan("MIRROR", ("sdg", "sdh")), VdevPlan("DISK", ("sdj",), "spare")), 2, 402, 240),
    ),
    datasets=(
        DatasetPlan("tank", 0),
        *_plain("tank", media=12, media_in_films=9320, media_in_series=7110, media_in_music=640, media_in_books=88),
        *_plain("tank", photos=1450, photos_in_raw=2210, photos_in_albums=180),
        *_plain("tank", home=3, home_in_alice=420, home_in_bob=310, home_in_carol=96),
        DatasetPlan("tank/private", 210, 18, encrypted=True, settings={"compression": "zstd"}),
        DatasetPlan("tank/private/letters", 14, 2, encrypted=True),
        DatasetPlan("tank/sealed", 55, 0, encrypted=True, locked=True),
        *_plain("tank", isos=140, timemachine=1900, scans=60),
        DatasetPlan("tank/downloads", 780, 39, grows=260 << 20),
        DatasetPlan("tank/surveillance", 2600, 130, grows=900 << 20),
        DatasetPlan("tank/iscsi", 0),
        DatasetPlan("tank/iscsi/games", 1320, 0, volume=2048, settings={"sync": "disabled"}),
        DatasetPlan("flash", 0),
        *_plain("flash", apps=9, apps_in_jellyfin=38, apps_in_nextcloud=120, apps_in_grafana=6, apps_in_gitea=17),
        DatasetPlan("flash/databases", 2, 1, settings={"recordsize": str(16 * 1024)}),
        DatasetPlan("flash/databases/postgres", 64, 3, grows=12 << 20),
        DatasetPlan("flash/databases/mariadb", 21, 1),
        DatasetPlan("flash/vms", 0),
        DatasetPlan("flash/vms/home-assistant", 27, 5, volume=64),
        DatasetPlan("flash/vms/debian", 44, 12, volume=128),
        DatasetPlan("flash/vms/windows", 98, 20, volume=256),
        DatasetPlan("vault", 0),
        DatasetPlan("vault/replica", 0, 0, readonly=True),
        DatasetPlan("vault/replica/photos", 2000, 120, readonly=True),
        DatasetPlan(
            "vault/replica/home", 690, 44, readonly=True, settings={"comments": "<b>cold</b> & \u201cfar\u201d"}
        ),
    ),
    alerts=(
        AlertPlan(
            "ZpoolCapacityNotice",
            "NOTICE",
            'Space usage for pool "%(volume)s" is %(capacity)d%%. Optimal pool performance requires used space remain '
            "below 80%%.",
            {"volume": "vault", "capacity": 79},
            12,
            source="ZpoolCapacity",
        ),
        AlertPlan("HasUpdate", "INFO", _UPDATE_TEXT, None, 50),
        AlertPlan(
            "ReplicationSuccess",
            "INFO",
            'Replication "%(name)s" succeeded.',
            {"name": "tank/photos - vault/replica/photos"},
            20,
            dismissed=True,
            one_shot=True,
        ),
    ),
    tables=peripherals.homelab,
    update="next",
)


def _datacenter() -> Fixture:
    """1,200 disks in twelve enclosures: two big pools of raidz2 vdevs with spares, one of mirrored SSDs."""
    nas = (
        NasBuilder("datacenter")
        .machine(memory="1T", cores=128, physical_cores=64, manufacturer="iXsystems", product="TRUENAS-M60-HA")
        .enclosures()
        .address("10.80.0.10")
        .boots_from()
        .pool("archive", raidz2=10, vdevs=60, disk="18TB", spares=12, fragmentation=11, scrub_min=2880)
        .pool("bulk", raidz2=11, vdevs=48, disk="16TB", spares=12, fragmentation=23, scrub_min=2400)
        .pool("flash", mirror=2, vdevs=22, disk="7.68TB", media="SSD", spares=2, fragmentation=31, scrub_min=90)
        .disk("18TB")
        .service("nfs")
        .service("iscsitarget")
        .service("snmp")
        .service("smartd")
    )
    for pool, count, used in (("archive", 24, "200T"), ("bulk", 24, "120T"), ("flash", 12, "3T")):
        for number in range(1, count + 1):
            nas.dataset(f"{pool}/project-{number:02}", used=used, snapshots="400G", grows="6G")
        nas.nfs(f"/mnt/{pool}/project-01", networks=["10.80.0.0/16"])
    return nas.snapshot_task("flash/project-01", "0 * * * *", keep="3 days").plan()


def _many_datasets() -> Fixture:
    """10,000 datasets, all directly below one pool: as served, each is there twice."""
    nas = NasBuilder("many-datasets").machine(memory="256G").pool("tank", raidz2=8, vdevs=4, disk="18TB").service("nfs")
    for number in range(1, 10_000):
        nas.dataset(f"tank/home-{number:04}", used=(1 + number * 7919 % 20_000) << 20)
    return nas.plan()


class _Fixtures(Mapping[str, Fixture]):
    """Plans by name, made once when first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Fixture]]) -> None:
        self._makers = makers
        self._made: dict[str, Fixture] = {}

    def __getitem__(self, name: str) -> Fixture:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


FIXTURES: Final[Mapping[str, Fixture]] = _Fixtures(
    {
        "baseline": lambda: BASELINE,
        "small-office": lambda: SMALL_OFFICE,
        "homelab": lambda: HOMELAB,
        "datacenter": _datacenter,
        "many-datasets": _many_datasets,
    }
)
