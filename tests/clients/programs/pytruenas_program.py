"""pytruenas, name by name: ``TrueNASClient.x`` of a client, ``Namespace.x`` of a namespace below its API, and so on."""

import logging
from typing import Any

import asking
import pytruenas
from pytruenas.auth import APIKeyAuth, BasicAuth, TokenAuth

logging.disable(logging.CRITICAL)
CLASSES = (pytruenas.TrueNASClient, pytruenas.Namespace, pytruenas.TrueNASWSConnection, pytruenas.Subscription)
RAISED = ("_query", "_get", "_create", "_update", "_upsert")


class Program:
    """Holds the client between calls."""

    def __init__(self) -> None:
        self.client: Any = None
        self.url = ""

    def do(self, call: str, arguments: dict[str, Any]) -> Any:
        owner, _, name = call.partition(".")
        if call == "public":
            return [
                f"{cls.__name__}.{one}"
                for cls in CLASSES
                for one in vars(cls)
                if not one.startswith("_") or (cls is pytruenas.Namespace and one in (*RAISED, "__call__"))
            ]
        if name == "create":
            self.url = arguments["url"]
            self.client = self.made(arguments["credentials"])
            return self.client.connect()
        if owner == "TrueNASClient":
            return self.of_client(name, arguments)
        if owner == "Namespace":
            return self.of_namespace(name, arguments)
        return self.of_connection(name) if owner == "TrueNASWSConnection" else self.of_subscription(name, arguments)

    def made(self, credentials: Any, **more: Any) -> Any:
        return pytruenas.TrueNASClient(self.url, credentials=credentials, verify=False, timeout=5, **more)

    def of_client(self, name: str, arguments: dict[str, Any]) -> Any:
        if name == "login":
            kinds = {"key": APIKeyAuth, "password": BasicAuth, "token": TokenAuth}
            client = self.made("77-" + "x" * 64, autologin=False)
            credentials = kinds[arguments.pop("kind")](*arguments.pop("with"))
            try:
                return client.login(credentials, **arguments)
            finally:
                client.close()
        if name in ("connect", "close", "logout", "conn", "logger"):
            client = self.made(arguments["credentials"])
            value = getattr(client, name)
            value = value() if callable(value) else type(value).__name__
            client.close()
            return value
        value = getattr(self.client, name)
        if name == "job_updates":
            return [job["state"] for job in value(self.job(arguments))]
        if name == "wait":
            return value(self.job(arguments))
        if name == "api":
            return type(value).__name__
        return value(**arguments) if callable(value) and not isinstance(value, type) else value

    def job(self, arguments: dict[str, Any]) -> int:
        started: int = self.client.api[arguments["start"][0]](*arguments["start"][1:])
        return started

    def of_namespace(self, name: str, arguments: dict[str, Any]) -> Any:
        namespace = self.client.api[arguments["namespace"]]
        if name == "subscribe":
            subscription = namespace.subscribe()
            subscription.unsubscribe()
            return subscription.id
        return getattr(namespace, name)(*arguments.get("with", ()), **arguments.get("named", {}))

    def of_connection(self, name: str) -> Any:
        connection = self.client.conn
        if name == "call":
            return connection.call("core.ping")
        if name == "subscribe":
            with connection.subscribe("alert.list") as subscription:
                return subscription.id
        other = self.made("77-" + "x" * 64, autologin=False)
        with other.conn as opened:
            value = getattr(opened, name)()
        return None if value is opened else value

    def of_subscription(self, name: str, arguments: dict[str, Any]) -> Any:
        with self.client.conn.subscribe("alert.list") as subscription:
            if name == "unsubscribe":
                return subscription.unsubscribe()
            if name == "events":
                self.client.api.alert.dismiss(arguments["alert"])
                event = next(iter(subscription.events(5)))
                return [(event.collection, event.msg)]
            return getattr(subscription, name)


asking.serve(Program().do)
