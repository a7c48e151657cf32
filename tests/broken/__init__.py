"""Deliberately broken stacks, one per safeguard: each is the reference stack with one function overridden.

``pulse-sim run … --sut tests.broken:<name>`` plugs one in. ``expected.yaml`` beside this file lists the checks each of
them must fail, scenario by scenario; it passes every other. ``docs/broken-stacks.md`` is the list for people.
"""

from collections.abc import Callable

from pulse_sim.stack.assembly import Parts
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem
from tests.broken.alerting import (
    AlertsForgotten,
    AlertsNeverRaised,
    AlertsNeverResolved,
    ContextLeaks,
    ContextUnbounded,
    WebhookTellsSecrets,
)
from tests.broken.knowledge import (
    DisksRenamed,
    DragsOthersAlong,
    EmptyBelieved,
    ForgetsOnFailure,
    ForgetsOnRemoval,
    NeverStale,
    OfflineLooksBetter,
    PoolsMerged,
    RecordsLoadedFresh,
    RecordsNotSaved,
    SerialsBelieved,
    SeriesLeft,
    StalenessFrozen,
    StaleSpeaks,
    StoreNotSynced,
)
from tests.broken.polling import (
    BadAnswerKills,
    BreakerNeverCloses,
    BreakerNeverOpens,
    BreakerWithoutCap,
    ChangeUnnoticed,
    DueTimesDrift,
    ErrorsSwallowed,
    ErrorsUntyped,
    LoginStorm,
    LogsEveryFailure,
    NoDeadlines,
    NoReconnect,
    NoSecondTry,
    OneTaskForAll,
    RemovedStillPolled,
    StopLeavesPolls,
)
from tests.broken.trust import (
    BodiesUnbounded,
    CredentialsInClear,
    DismissedShown,
    DuplicatesAccepted,
    FlagIgnored,
    LoginsUnpaced,
    PinIgnored,
    RedirectsFollowed,
    RolesIgnored,
    SecretsInLogs,
    SecretsUnredacted,
    SessionPerCall,
    UnboundedAnswers,
)


def _with(parts: Parts) -> Callable[[Place], ReferenceSystem]:
    return lambda place: ReferenceSystem(place, parts)


no_deadlines = _with(Parts(runtime=NoDeadlines))
errors_swallowed = _with(Parts(outcomes=ErrorsSwallowed))
no_reconnect = _with(Parts(breaker=NoReconnect))
one_task_for_all = _with(Parts(watch=OneTaskForAll))
breaker_never_opens = _with(Parts(breaker=BreakerNeverOpens))
breaker_never_closes = _with(Parts(breaker=BreakerNeverCloses))
breaker_without_cap = _with(Parts(breaker=BreakerWithoutCap))
login_storm = _with(Parts(retries=LoginStorm))
no_second_try = _with(Parts(retries=NoSecondTry))
due_times_drift = _with(Parts(schedule=DueTimesDrift))
errors_untyped = _with(Parts(classifier=ErrorsUntyped))
bad_answer_kills = _with(Parts(outcomes=BadAnswerKills))
change_unnoticed = _with(Parts(poller=ChangeUnnoticed))
removed_still_polled = _with(Parts(poller=RemovedStillPolled))
stop_leaves_polls = _with(Parts(poller=StopLeavesPolls))
session_per_call = _with(Parts(rpc_client=SessionPerCall))
redirects_followed = _with(Parts(client=RedirectsFollowed))
pin_ignored = _with(Parts(client=PinIgnored))
unbounded_answers = _with(Parts(rpc_client=UnboundedAnswers))
secrets_in_logs = _with(Parts(outcomes=SecretsInLogs))
secrets_unredacted = _with(Parts(redaction=SecretsUnredacted))
never_stale = _with(Parts(registry=NeverStale))
empty_believed = _with(Parts(provider=EmptyBelieved))
offline_looks_better = _with(Parts(registry=OfflineLooksBetter))
pools_merged = _with(Parts(provider=PoolsMerged))
serials_believed = _with(Parts(provider=SerialsBelieved))
disks_renamed = _with(Parts(provider=DisksRenamed))
forgets_on_failure = _with(Parts(registry=ForgetsOnFailure))
forgets_on_removal = _with(Parts(registry=ForgetsOnRemoval))
records_not_saved = _with(Parts(keeper=RecordsNotSaved))
records_loaded_fresh = _with(Parts(keeper=RecordsLoadedFresh))
store_not_synced = _with(Parts(store=StoreNotSynced))
staleness_frozen = _with(Parts(metrics=StalenessFrozen))
series_left = _with(Parts(metrics=SeriesLeft))
logs_every_failure = _with(Parts(outcomes=LogsEveryFailure))
dismissed_shown = _with(Parts(client=DismissedShown))
alerts_never_raised = _with(Parts(alerts=AlertsNeverRaised))
alerts_never_resolved = _with(Parts(alerts=AlertsNeverResolved))
alerts_forgotten = _with(Parts(alerts=AlertsForgotten))
drags_others_along = _with(Parts(registry=DragsOthersAlong))
flag_ignored = _with(Parts(settings=FlagIgnored))
duplicates_accepted = _with(Parts(admission=DuplicatesAccepted))
credentials_in_clear = _with(Parts(rpc_client=CredentialsInClear))
logins_unpaced = _with(Parts(logins=LoginsUnpaced))
roles_ignored = _with(Parts(server=RolesIgnored))
bodies_unbounded = _with(Parts(server=BodiesUnbounded))
stale_speaks = _with(Parts(registry=StaleSpeaks))
context_unbounded = _with(Parts(context=ContextUnbounded))
context_leaks = _with(Parts(context=ContextLeaks))
webhook_tells_secrets = _with(Parts(webhook=WebhookTellsSecrets))
