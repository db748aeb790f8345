# SPDX-License-Identifier: BSD-2-Clause
"""
A real browser for tests of pictures and pages: headless Chromium with a profile of its own, driven
through chromedriver. It reaches nothing but this machine, and is gone with its profile at the end.

    with Browser() as browser:
        browser.open("/tmp/x.svg")
        assert browser.run("return document.documentElement.nodeName") == "svg"
        browser.screenshot("/tmp/x.png")

`SHOTS=DIR` in the environment keeps every picture that a test asks shot() for, to be looked at.
"""
import base64
import os
import pathlib
import shutil
import tempfile

SKIPPED = 77  # what meson takes for a test that could not run

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    # Whatever a page asks for by a name, it gets no answer.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def missing():
    """What is not on this machine, in words; empty when all is there."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "python3-selenium"
    if not shutil.which("chromedriver"):
        return "chromium-driver"
    return "" if shutil.which("chromium") else "chromium"


class Browser:
    def __init__(self, width=1280, height=900, flags=(), scripts=True, timeout=60):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self.profile = tempfile.mkdtemp(prefix="browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in (*FLAGS, *flags, f"--user-data-dir={self.profile}",
                     f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if not scripts:
            options.add_experimental_option(
                "prefs", {"profile.managed_default_content_settings.javascript": 2})
        try:
            self.driver = webdriver.Chrome(
                service=Service(shutil.which("chromedriver")), options=options)
        except Exception:
            shutil.rmtree(self.profile, ignore_errors=True)
            raise
        self.driver.set_page_load_timeout(timeout)
        self.driver.set_script_timeout(timeout)
        self.size(width, height)
        # What a new window asks for by itself is not the page's.
        self.driver.get("about:blank")
        self.requests()
        self.complaints()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def cdp(self, command, **arguments):
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    # --- the page ---

    def size(self, width, height):
        """Of the page itself, without what a window has around it."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def open(self, path):
        """A file of this machine, or an address."""
        text = str(path)
        self.driver.get(text if "://" in text else pathlib.Path(text).resolve().as_uri())

    def run(self, script, *arguments):
        """The body of a function; what it returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script, *arguments, seconds=60):
        """Until the script returns something true, which is returned."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds).until(lambda _: self.run(script, *arguments))

    def find(self, selector):
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        from selenium.webdriver.common.by import By

        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    # --- what a person does ---

    def move(self, x, y):
        """The mouse, to a place on the page as it is seen."""
        self.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y):
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def keys(self, *keys):
        """Keys by name ("Tab", "ArrowUp", "Enter") or texts, to whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        names = {"Tab": Keys.TAB, "Enter": Keys.ENTER, "Escape": Keys.ESCAPE, "Home": Keys.HOME,
                 "End": Keys.END, "ArrowUp": Keys.ARROW_UP, "ArrowDown": Keys.ARROW_DOWN,
                 "ArrowLeft": Keys.ARROW_LEFT, "ArrowRight": Keys.ARROW_RIGHT,
                 "Backspace": Keys.BACKSPACE, "Space": Keys.SPACE}
        actions = ActionChains(self.driver)
        for key in keys:
            if key.startswith("Shift+"):
                actions.key_down(Keys.SHIFT).send_keys(names.get(key[6:], key[6:])).key_up(Keys.SHIFT)
            else:
                actions.send_keys(names.get(key, key))
        actions.perform()

    # --- what a person has set ---

    def prefers(self, **features):
        """Of the viewer: prefers(color_scheme="dark"), prefers(reduced_motion="reduce")."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value}
            for name, value in features.items()])

    def media(self, name):
        """"print" or "" for the screen."""
        self.cdp("Emulation.setEmulatedMedia", media=name)

    # --- what came of it ---

    def screenshot(self, path, whole=False):
        """A PNG of what is seen, or of the whole page."""
        image = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(image["data"]))

    def shot(self, name, whole=False):
        """The same for somebody to look at, when SHOTS names a folder."""
        folder = os.environ.get("SHOTS")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            self.screenshot(pathlib.Path(folder) / (name + ".png"), whole)

    def pdf(self, path, **how):
        """As it is printed."""
        document = self.cdp("Page.printToPDF", printBackground=False, **how)
        pathlib.Path(path).write_bytes(base64.b64decode(document["data"]))

    def complaints(self):
        """What the page told the console since the last call: errors and warnings, as texts."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """Addresses asked for since the last call."""
        import json

        sent = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                sent.append(message["params"]["request"]["url"])
        return sent

    def dialog(self):
        """The text of an open alert, which is closed; None: there is none."""
        from selenium.common.exceptions import NoAlertPresentException

        try:
            alert = self.driver.switch_to.alert
            text = alert.text
            alert.accept()
            return text
        except NoAlertPresentException:
            return None
