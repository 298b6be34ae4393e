"""A page of the server itself, in headless Chromium, opens a WebSocket to it: Origin and all are the browser's own.

usage: chromium.py PORT CHROMIUM FOLDER     FOLDER becomes the browser's profile
Prints `PASS name` or `FAIL name: why` a line. Needs the Python library `websockets`, for the browser's own protocol.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request

from websockets.sync.client import connect

# The probe of Chromium's services must not wait for a network that is not there.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"]

SCRIPTS = {
    "WebSocket echo": """
        new Promise((resolve, reject) => {
            const ws = new WebSocket('ws://' + location.host + '/browser');
            const texts = ['hello', 'h\\u00e9llo \\u65e5\\u672c\\u8a9e \\ud83d\\ude00', '', 'x'.repeat(100000)];
            const got = [];
            ws.onopen = () => { for (const text of texts) ws.send(text); };
            ws.onmessage = (event) => { if (got.push(event.data) === texts.length) ws.close(4000, 'enough'); };
            ws.onclose = (event) => resolve(JSON.stringify(got) === JSON.stringify(texts) && event.wasClean
                && event.code === 4000 || 'closed with ' + event.code + ' after ' + got.length);
        })""",
    "binary echo": """
        new Promise((resolve) => {
            const ws = new WebSocket('ws://' + location.host + '/browser');
            ws.binaryType = 'arraybuffer';
            const bytes = new Uint8Array(300000).map((_, at) => at * 7);
            ws.onopen = () => ws.send(bytes);
            ws.onmessage = (event) => {
                const got = new Uint8Array(event.data);
                resolve(got.length === bytes.length && got.every((byte, at) => byte === bytes[at]));
                ws.close();
            };
            ws.onclose = (event) => resolve('closed with ' + event.code);
        })""",
    "fetch, POST echo": """
        fetch('/', { method: 'POST', body: 'y'.repeat(200000) })
            .then((response) => response.text()).then((text) => text === '/' + 'y'.repeat(200000))""",
}


def main():
    port, binary, profile = sys.argv[1:]
    log = open(os.path.join(profile, "chromium.log"), "wb")
    command = [binary, *FLAGS, "--user-data-dir=" + profile, "about:blank"]
    browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        failed = drive(port, profile, browser)
    except Exception as error:  # whatever goes wrong with the browser is a failed check
        print("FAIL page: %r" % error)
        failed = 1
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
    sys.exit(1 if failed else 0)


def drive(port, profile, browser):
    with connect(page_url(profile, browser), max_size=None, proxy=None, compression=None) as page:
        number = 0

        def call(method, **params):
            nonlocal number
            number += 1
            page.send(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                answer = json.loads(page.recv(30))
                if answer.get("id") == number:
                    return answer["result"]

        def evaluate(script):
            result = call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
            return result["result"].get("value", result.get("exceptionDetails"))

        problem = call("Page.navigate", url="http://127.0.0.1:%s/" % port).get("errorText")
        assert not problem, problem
        end = time.monotonic() + 20
        while evaluate("location.port + document.readyState") != port + "complete":
            assert time.monotonic() < end, "the page did not load"
            time.sleep(0.1)
        print("PASS page")
        failed = 0
        for name, script in SCRIPTS.items():
            got = evaluate(script)
            print("PASS " + name if got is True else "FAIL %s: %s" % (name, got))
            failed += got is not True
        return failed


def page_url(profile, browser):
    """Where the browser's first page takes commands."""
    path = os.path.join(profile, "DevToolsActivePort")
    end = time.monotonic() + 60
    while time.monotonic() < end and browser.poll() is None:
        try:
            with open(path) as file:
                port = file.readline().strip()
            with urllib.request.urlopen("http://127.0.0.1:%s/json/list" % port, timeout=5) as answer:
                pages = [it for it in json.load(answer) if it["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise RuntimeError("chromium did not start (it ended with %s)" % browser.poll())


if __name__ == "__main__":
    main()
