# SPDX-License-Identifier: BSD-2-Clause
"""
The agents that tests run, each pinned: what is seen of one version says nothing about another.

An agent is a value. How it is told where the fake server is, that it may run commands, which MCP
servers there are, and that it has been started before (else it asks questions first), it takes from
arguments, environment and files in its HOME.
"""
import dataclasses
import json
import typing

from agents import modes

KEY = "dummy"  # never a real one
MODEL = "claude-sonnet-4-5"
TOOL_TIMEOUT_MS = 600000


@dataclasses.dataclass(frozen=True)
class Place:
    """What an agent's files and arguments are made from."""
    home: str
    folder: str  # where it works
    url: str     # of the fake server
    mcp: dict    # name -> argv
    asks_user: bool = False  # before a command runs


@dataclasses.dataclass(frozen=True, eq=False)
class Agent:
    name: str         # of the folder in the cache
    package: str      # npm's
    version: str
    executable: str   # under the folder it was installed into
    arguments: tuple  # that make it answer a prompt, which comes behind them, and end
    terminal: tuple   # that make it talk on a terminal
    environment: dict  # "{url}" is where the fake server listens
    files: typing.Callable  # place -> {path under HOME: text}
    command: typing.Callable  # shell text -> (tool, arguments) that run it
    idle: str         # what its terminal shows once it waits for a prompt
    asking: tuple     # as `terminal`, where it asks its user before it runs a command
    idle_asking: str  # as `idle`, then
    asks: str         # what its terminal shows while it asks
    mcp_tool: str = "mcp__{}__{}"  # how the model names a server's tool
    retried: str = modes.LIMITED  # the refusal after which it asks again and again
    to_ask: dict = dataclasses.field(default_factory=dict)  # arguments of a command to be asked for
    more_arguments: typing.Callable = lambda place: ()  # stand before the others
    has_launcher: bool = False  # what is started first only starts the agent
    worker: tuple = ()  # arguments of the process that does the work where it is another
    has_scripts: bool = True  # that npm runs when it installs the package
    runtime: str = ""   # of tests/runtimes, where the package wants a newer node than the system's


# --- Claude Code ---


def claude_files(place):
    return {
        ".claude.json": json.dumps({
            "hasCompletedOnboarding": True, "theme": "dark", "numStartups": 5,
            "customApiKeyResponses": {"approved": [KEY], "rejected": []},
            "projects": {place.folder: {"hasTrustDialogAccepted": True, "allowedTools": [],
                                        "hasCompletedProjectOnboarding": True}},
        }),
        "mcp.json": json.dumps({"mcpServers": {
            name: {"command": argv[0], "args": argv[1:]} for name, argv in place.mcp.items()}}),
    }


def claude_arguments(place):
    if not place.mcp:
        return ()
    return ("--mcp-config", place.home + "/mcp.json", "--allowedTools",
            *("mcp__" + name for name in place.mcp))


def claude_command(text):
    return "Bash", {"command": text, "description": "for a test", "timeout": TOOL_TIMEOUT_MS}


CLAUDE_CODE = Agent(
    name="claude-code",
    package="@anthropic-ai/claude-code",
    version="2.1.328",
    executable="node_modules/.bin/claude",
    arguments=("--allowedTools", "Bash", "-p"),
    # What it starts in by itself asks the server whether a command is safe.
    terminal=("--permission-mode", "acceptEdits", "--allowedTools", "Bash"),
    environment={
        "ANTHROPIC_BASE_URL": "{url}",
        "ANTHROPIC_API_KEY": KEY,
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
    files=claude_files,
    command=claude_command,
    idle="(shift+tab to cycle)",
    asking=("--permission-mode", "default"),
    idle_asking="? for shortcuts",
    asks="Do you want to proceed?",
    more_arguments=claude_arguments,
)
CLAUDE_CODE_NODE = dataclasses.replace(CLAUDE_CODE, name="claude-code-node", version="2.1.112")
CLAUDE_CODE_1 = dataclasses.replace(CLAUDE_CODE, name="claude-code-1", version="1.0.128")

# --- Codex ---

CODEX_SETTINGS = """
model = "gpt-5"
model_provider = "fake"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.fake]
name = "fake"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
supports_websockets = false
request_max_retries = 50
stream_max_retries = 50
[projects."{folder}"]
trust_level = "trusted"
"""


def codex_files(place):
    text = CODEX_SETTINGS.format(url=place.url, folder=place.folder)
    for name, argv in place.mcp.items():
        text += "[mcp_servers.%s]\ncommand = %s\nargs = %s\n" % (
            name, json.dumps(argv[0]), json.dumps(argv[1:]))
    return {".codex/config.toml": text}


def codex_command(text):
    return "exec_command", {"cmd": text, "yield_time_ms": TOOL_TIMEOUT_MS}


CODEX = Agent(
    name="codex",
    package="@openai/codex",
    version="0.169.0",
    executable="node_modules/.bin/codex",
    arguments=("exec", "--skip-git-repo-check"),
    terminal=(),
    environment={"OPENAI_API_KEY": KEY},
    files=codex_files,
    command=codex_command,
    idle="permissions: YOLO mode",
    asking=("-c", 'approval_policy="on-request"', "-c", 'sandbox_mode="read-only"'),
    mcp_tool="mcp__{}.{}",
    retried=modes.OVERLOADED,
    to_ask={"sandbox_permissions": "require_escalated", "justification": "May it be made?"},
    idle_asking="gpt-5",
    asks="Would you like to run",
    has_launcher=True,
    worker=("app-server", "--listen"),
)

# --- opencode ---


def opencode_files(place):
    return {".config/opencode/opencode.json": json.dumps({
        "provider": {"anthropic": {"options": {"baseURL": place.url + "/v1", "apiKey": KEY}}},
        "model": "anthropic/" + MODEL, "small_model": "anthropic/" + MODEL,
        "autoupdate": False, "share": "disabled",
        "permission": {"bash": "ask" if place.asks_user else "allow"},
        "mcp": {name: {"type": "local", "command": argv, "enabled": True}
                for name, argv in place.mcp.items()},
    })}


def opencode_command(text):
    return "bash", {"command": text, "description": "for a test", "timeout": TOOL_TIMEOUT_MS}


OPENCODE = Agent(
    name="opencode",
    package="opencode-ai",
    version="1.18.33",
    executable="node_modules/.bin/opencode",
    arguments=("run",),
    terminal=(),
    environment={
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    },
    files=opencode_files,
    command=opencode_command,
    idle="Ask anything",
    asking=(),
    idle_asking="Ask anything",
    asks="Permission required",
    mcp_tool="{}_{}",
)

# --- Gemini ---


def gemini_files(place):
    return {".gemini/settings.json": json.dumps({
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "mcpServers": {name: {"command": argv[0], "args": argv[1:], "trust": True}
                       for name, argv in place.mcp.items()},
    })}


def gemini_command(text):
    return "run_shell_command", {"command": text, "description": "for a test"}


GEMINI_ARGUMENTS = ("--yolo", "-m", "gemini-2.5-flash")
GEMINI = Agent(
    name="gemini",
    package="@google/gemini-cli",
    version="0.61.0",
    executable="node_modules/.bin/gemini",
    arguments=GEMINI_ARGUMENTS + ("-p",),
    terminal=GEMINI_ARGUMENTS,
    environment={
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": "{url}",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    },
    files=gemini_files,
    command=gemini_command,
    idle="Type your message",
    asking=("-m", "gemini-2.5-flash"),
    idle_asking="Type your message",
    asks="Allow execution",
    mcp_tool="mcp_{}_{}",
    has_launcher=True,
)

# --- those that are only run without a terminal: their sessions, tools and roles ---


def headless(**more):
    """Of the modes those without a terminal and an MCP server."""
    return Agent(terminal=(), idle="", asking=(), idle_asking="", asks="", **more)


def timed(name):
    """The tool of that name, with a command that may take long."""
    return lambda text: (name, {"command": text, "description": "for a test", "timeout": TOOL_TIMEOUT_MS})


def pi_files(place):
    return {
        ".pi/agent/models.json": json.dumps({"providers": {"fake": {
            "baseUrl": place.url + "/v1", "api": "openai-completions", "apiKey": KEY,
            "models": [{"id": "fake-model", "name": "Fake", "reasoning": False, "input": ["text"],
                        "cost": dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), 0),
                        "contextWindow": 100000, "maxTokens": 4000}]}}}),
        ".pi/agent/settings.json": json.dumps({"defaultProvider": "fake", "defaultModel": "fake-model"}),
    }


PI = headless(
    name="pi", package="@mariozechner/pi-coding-agent", version="0.73.1",
    executable="node_modules/.bin/pi", arguments=("-p",), files=pi_files,
    environment={"PI_OFFLINE": "1"}, command=lambda text: ("bash", {"command": text}))


def continue_files(place):
    return {".continue/config.yaml": json.dumps({
        "name": "fake", "version": "1.0.0", "schema": "v1", "models": [{
            "name": "fake", "provider": "openai", "model": "gpt-4o", "apiKey": KEY,
            "apiBase": place.url + "/v1", "roles": ["chat", "edit", "apply"],
            "capabilities": ["tool_use"]}]})}


CONTINUE = headless(
    name="continue", package="@continuedev/cli", version="1.5.47",
    executable="node_modules/.bin/cn", arguments=("-p",), files=continue_files,
    more_arguments=lambda place: ("--auto", "--config", place.home + "/.continue/config.yaml"),
    environment={"CONTINUE_TELEMETRY_ENABLED": "0", "CONTINUE_CLI_AUTO_UPDATED": "true"},
    command=lambda text: ("Bash", {"command": text, "timeout": 600}))

GROK = headless(
    name="grok", package="@vibe-kit/grok-cli", version="0.0.34",
    executable="node_modules/.bin/grok", arguments=("-p",), files=lambda place: {},
    environment={"GROK_API_KEY": KEY, "GROK_BASE_URL": "{url}/v1"},
    command=lambda text: ("bash", {"command": text}))


def qwen_files(place):
    return {".qwen/settings.json": json.dumps({
        "security": {"auth": {"selectedType": "openai"}}, "telemetry": {"enabled": False},
        "privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}})}


QWEN = headless(
    name="qwen", package="@qwen-code/qwen-code", version="0.24.4",
    executable="node_modules/.bin/qwen", arguments=("--yolo", "-p"), files=qwen_files,
    environment={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "{url}/v1", "OPENAI_MODEL": "fake-model"},
    command=lambda text: ("run_shell_command", {"command": text, "description": "for a test",
                                                "is_background": False}),
    has_launcher=True)

KILO = headless(
    name="kilo", package="@kilocode/cli", version="7.7.7",
    executable="node_modules/.bin/kilo", arguments=("run", "--auto"),
    files=lambda place: {".config/kilo/kilo.json": json.dumps({
        "provider": {"anthropic": {"options": {"baseURL": place.url + "/v1", "apiKey": KEY}}},
        "model": "anthropic/" + MODEL, "small_model": "anthropic/" + MODEL, "autoupdate": False,
        "permission": {"bash": "allow"}})},
    environment={"KILO_DISABLE_AUTOUPDATE": "1", "KILO_DISABLE_MODELS_FETCH": "1",
                 "KILO_DISABLE_LSP_DOWNLOAD": "1"},
    command=timed("bash"), has_launcher=True)


def droid_files(place):
    return {".factory/settings.json": json.dumps({
        "model": "custom:Fake-0", "enableDroidShield": False, "customModels": [{
            "model": "fake-model", "id": "custom:Fake-0", "index": 0, "displayName": "Fake",
            "baseUrl": place.url + "/v1", "apiKey": KEY, "maxOutputTokens": 4000,
            "provider": "generic-chat-completion-api"}]})}


DROID = headless(
    name="droid", package="droid", version="0.215.0", executable="node_modules/.bin/droid",
    arguments=("exec", "--auto", "high", "-m", "custom:Fake-0"), files=droid_files,
    environment={"FACTORY_API_KEY": "fk-" + KEY, "FACTORY_API_BASE_URL": "{url}",
                 "FACTORY_APP_BASE_URL": "{url}", "FACTORY_AIRGAP_ENABLED": "true",
                 "FACTORY_DISABLE_KEYRING": "1", "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false"},
    command=lambda text: ("Execute", {"command": text, "timeout": 600, "riskLevel": "low",
                                      "riskLevelReason": "a test", "summary": "a test"}))

COPILOT = headless(
    name="copilot", package="@github/copilot", version="1.0.102",
    executable="node_modules/.bin/copilot", arguments=("--allow-all-tools", "-p"),
    files=lambda place: {},
    environment={"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": "{url}/v1",
                 "COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_API_KEY": KEY,
                 "COPILOT_MODEL": "fake-model", "COPILOT_AUTO_UPDATE": "false"},
    command=lambda text: ("bash", {"command": text, "description": "for a test", "initial_wait": 600}),
    has_launcher=True)



def cline_files(place):
    return {".cline/data/settings/providers.json": json.dumps({
        "version": 1, "lastUsedProvider": "openai-compatible", "modes": {}, "providers": {
            "openai-compatible": {"tokenSource": "manual", "updatedAt": "2026-01-01T00:00:00.000Z",
                                  "settings": {"provider": "openai-compatible", "apiKey": KEY,
                                               "model": "fake-model", "baseUrl": place.url + "/v1"}}}})}


CLINE = headless(
    name="cline", package="cline", version="3.0.65", executable="node_modules/.bin/cline",
    arguments=("--auto-approve", "true"), files=cline_files,
    environment={"CLINE_NO_AUTO_UPDATE": "1", "CLINE_TELEMETRY_DISABLED": "1"},
    command=lambda text: ("run_commands", {"commands": [text]}))


def letta_files(place):
    return {".letta/lc-local-backend/providers/auth.json": json.dumps({
        "version": 1, "providers": {"lc-lmstudio": {
            "id": "local-provider-lc-lmstudio", "name": "lc-lmstudio", "provider_type": "lmstudio",
            "provider_category": "byok", "auth": {"type": "api", "key": "not-needed"},
            "base_url": place.url + "/v1", "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z"}}})}


LETTA = headless(
    name="letta", package="@letta-ai/letta-code", version="0.25.9",
    executable="node_modules/.bin/letta",
    arguments=("--backend", "local", "--yolo", "--no-memfs", "--model", "lmstudio/fake-model", "-p"),
    files=letta_files, environment={"LETTA_CODE_TELEM": "0", "DISABLE_AUTOUPDATER": "1"},
    command=timed("Bash"))


def openclaw_files(place):
    return {".openclaw/openclaw.json": json.dumps({
        "models": {"mode": "replace", "providers": {"fake": {
            "baseUrl": place.url + "/v1", "apiKey": KEY, "api": "openai-completions",
            "models": [{"id": "fake-model", "name": "Fake", "reasoning": False, "input": ["text"],
                        "cost": dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), 0),
                        "contextWindow": 100000, "maxTokens": 4000}]}}},
        "agents": {"defaults": {"model": {"primary": "fake/fake-model"}, "workspace": place.folder}}})}


OPENCLAW = headless(
    name="openclaw", package="openclaw", version="2026.9.6",
    executable="node_modules/.bin/openclaw",
    arguments=("agent", "--local", "--session-id", "test", "--message"), files=openclaw_files,
    environment={}, command=lambda text: ("exec", {"command": text, "timeoutSeconds": 600}),
    has_launcher=True, runtime="node24")

HEADLESS = (PI, CONTINUE, GROK, QWEN, KILO, DROID, COPILOT, CLINE, LETTA, OPENCLAW)

# Its program is downloaded from elsewhere by a script of the package: only the launcher is npm's.
CRUSH = headless(
    name="crush", package="@charmland/crush", version="0.96.1", executable="node_modules/.bin/crush",
    arguments=(), files=lambda place: {}, environment={}, command=timed("bash"), has_scripts=False)

# --- those that talk to the server of their account alone: to the question whether to log in ---


def before_login(**more):
    return Agent(arguments=(), terminal=(), files=lambda place: {}, command=lambda text: (),
                 asking=(), idle_asking="", asks="", **more)


AUGGIE = before_login(
    name="auggie", package="@augmentcode/auggie", version="0.36.0",
    executable="node_modules/.bin/auggie", environment={"AUGMENT_DISABLE_AUTO_UPDATE": "1"},
    idle="Login to continue")
AMP = before_login(
    name="amp", package="@ampcode/cli", version="0.0.1790142911-g7618fb",
    executable="node_modules/.bin/amp", environment={}, idle="Would you like to log in to Amp?")

BEFORE_LOGIN = (AUGGIE, AMP)
AGENTS = {agent.name: agent for agent in (CLAUDE_CODE, CLAUDE_CODE_NODE, CLAUDE_CODE_1, CODEX,
                                          OPENCODE, GEMINI, *HEADLESS, *BEFORE_LOGIN)}
