"""The layers checker must find what it is there to find: it gets small trees with one fault each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_layers.py"
TABLE = """# room: rooms
base:
crypto: base
xml: base
sip/wire: base
xmpp/wire: xml base
gateway: xmpp/wire sip/wire base
net: base
"""


def check(files, table=TABLE):
    """Exit code and output of the checker for a tree that holds `files` (path below src -> text)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {"tools/layers.txt": table, **{"src/" + p: t for p, t in files.items()}}.items():
            place = pathlib.Path(root, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, str(CHECKER), root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Layers(unittest.TestCase):
    def assert_finds(self, files, *words, table=TABLE):
        code, out = check(files, table)
        self.assertEqual(code, 1, out)
        for word in words:
            self.assertIn(word, out)

    def assert_clean(self, files, table=TABLE):
        code, out = check(files, table)
        self.assertEqual(code, 0, out)

    def test_allowed_edges_pass(self):
        self.assert_clean({
            "xml/a.hpp": '#include "base/b.hpp"\n#include "xml/c.hpp"\n#include <vector>\n',
            "gateway/g.cpp": '#include "sip/wire/uri.hpp"\n#include "xmpp/wire/jid.hpp"\n',
            "net/loop.cpp": "#include <boost/asio/post.hpp>\n#include <thread>\nauto t = clock::now();\n",
            "crypto/hash.cpp": "#include <openssl/evp.h>\n",
        })

    def test_an_edge_that_is_not_in_the_table_is_reported_with_its_line(self):
        self.assert_finds({"xml/a.cpp": '#include "base/b.hpp"\n\n#include "crypto/hash.hpp"\n'},
                          "src/xml/a.cpp:3:", "xml must not include crypto")

    def test_sip_and_xmpp_never_meet(self):
        self.assert_finds({"sip/wire/a.cpp": '#include "xmpp/wire/jid.hpp"\n'}, "src/sip/wire/a.cpp:1:", "never meet")
        self.assert_finds({"xmpp/wire/a.cpp": '#include "sip/wire/uri.hpp"\n'}, "src/xmpp/wire/a.cpp:1:", "never meet")

    def test_a_table_that_lets_sip_and_xmpp_meet_is_refused(self):
        code, out = check({}, "base:\nxmpp/wire: base\nsip/wire: xmpp/wire base\n")
        self.assertEqual(code, 2)
        self.assertIn("different protocols", out)

    def test_a_circle_and_an_unknown_room_in_the_table_are_refused(self):
        code, out = check({}, "base: xml\nxml: base\n")
        self.assertEqual(code, 2)
        self.assertIn("circle", out)
        code, out = check({}, "base:\nxml: bases\n")
        self.assertEqual(code, 2)
        self.assertIn("bases", out)

    def test_a_file_or_an_include_outside_of_all_rooms_is_reported(self):
        self.assert_finds({"stray/a.cpp": ""}, "src/stray/a.cpp:1:", "no room")
        self.assert_finds({"xml/a.cpp": '#include "b.hpp"\n'}, "src/xml/a.cpp:1:", "no room")

    def test_the_core_has_no_threads_files_sockets_or_random_numbers(self):
        for header in ["boost/asio.hpp", "boost/asio/ip/tcp.hpp", "openssl/evp.h", "thread", "mutex", "fstream",
                       "random", "sys/socket.h"]:
            with self.subTest(header=header):
                self.assert_finds({"xml/a.cpp": f"// why\n#include <{header}>\n"}, "src/xml/a.cpp:2:", header)

    def test_the_core_reads_no_clock_and_no_environment(self):
        for call in ["std::chrono::steady_clock::now()", "clock::now ()", 'getenv("HOME")', "std::rand()"]:
            with self.subTest(call=call):
                self.assert_finds({"xml/a.cpp": f"int a;\nauto x = {call};\n"}, "src/xml/a.cpp:2:")

    def test_a_member_called_now_is_no_clock(self):
        self.assert_clean({"xml/a.cpp": "instant sandbox::now() const { return now_; }\nauto t = box.now();\n"})

    def test_comments_and_literals_are_no_code(self):
        self.assert_clean({"xml/a.cpp": "// clock::now()\n/* getenv(x)\n#include <thread>\n*/\n"
                                        'auto s = "std::rand ::now(";\nauto n = 1\'000; // \'\nchar c = \'"\'; // ::now(\n'})
        self.assert_finds({"xml/a.cpp": "char c = '\"'; auto t = clock::now(); char d = '\"';\n"}, "src/xml/a.cpp:1:")

    def test_flows_do_not_include_each_other(self):
        own = '#include "gateway/pager_flow.hpp"\n'
        self.assert_clean({"gateway/pager_flow.cpp": own, "gateway/router.hpp": own, "gateway/router.cpp": own})
        self.assert_finds({"gateway/chat_flow.cpp": own}, "src/gateway/chat_flow.cpp:1:", "router")
        self.assert_finds({"gateway/chat_flow.hpp": own}, "src/gateway/chat_flow.hpp:1:", "router")

    def test_the_longest_room_name_counts(self):
        table = "base:\nsip: base\nsip/wire:\n"
        self.assert_clean({"sip/a.cpp": '#include "base/b.hpp"\n'}, table)
        self.assert_finds({"sip/wire/a.cpp": '#include "base/b.hpp"\n'}, "sip/wire must not include base", table=table)


if __name__ == "__main__":
    unittest.main()
