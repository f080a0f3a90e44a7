"""A tenant's policy, loaded into its Synapse (modules: in the generated config).

Follows the module API of Synapse 1.163 (docs/modules/). Refusals are raised as SynapseError, which is what carries a sentence to the
person: the codes that the callbacks may return would say "Rate limited" or "not permitted" only.
"""

from typing import Any, Collection, Optional, Tuple

from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import ConfigError, SynapseError
from synapse.spam_checker_api import RegistrationBehaviour

ENCRYPTION = "m.room.encryption"


class AgentopiaPolicy:
    def __init__(self, config: dict, api: ModuleApi):
        self._agent_prefix: str = config["agent_prefix"]
        self._control_bot: str = config["control_bot"]
        api.register_spam_checker_callbacks(check_registration_for_spam=self.check_registration)
        if config["readable_rooms"]:
            api.register_third_party_rules_callbacks(on_create_room=self.create_readable)
            # Not check_event_allowed: with that, Synapse loads a room's whole state for every message in it.
            api.register_spam_checker_callbacks(user_may_send_state_event=self.keep_readable)

    @staticmethod
    def parse_config(config: dict) -> dict:
        for name in ("agent_prefix", "control_bot", "readable_rooms"):
            if name not in config:
                raise ConfigError(f"agentopia_policy needs {name}")
        return config

    async def check_registration(
        self,
        email_threepid: Optional[dict],
        username: Optional[str],
        request_info: Collection[Tuple[Optional[str], str]],
        auth_provider_id: Optional[str] = None,
    ) -> RegistrationBehaviour:
        """For all but appservices, which do not come through here."""
        name = (username or "").lower()
        if name.startswith(self._agent_prefix) or name == self._control_bot:
            raise SynapseError(400, "This name is kept for agents. Choose another one.", "M_EXCLUSIVE")
        return RegistrationBehaviour.ALLOW

    async def create_readable(self, requester: Any, content: dict, is_admin: bool) -> None:
        """Element X asks for encryption in every direct chat, whatever .well-known says: the request is left out."""
        state = content.get("initial_state")
        if isinstance(state, list):
            content["initial_state"] = [
                event for event in state if not (isinstance(event, dict) and event.get("type") == ENCRYPTION)
            ]

    async def keep_readable(self, user_id: str, room_id: str, event_type: str, state_key: str, content: dict) -> Any:
        if event_type == ENCRYPTION:
            raise SynapseError(
                403,
                "Encryption is switched off on this homeserver, so that agents can read along. Ask your operator if you need it.",
                "M_FORBIDDEN",
            )
        return NOT_SPAM
