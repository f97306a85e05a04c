#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "cli/control_client.hpp"
#include "net/signals.hpp"
#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"
#include "unit/daemon/running_daemon.hpp"

namespace stox::daemon {
namespace {

namespace asio = boost::asio;
using testing::AllOf;
using testing::HasSubstr;

TEST_F(stoxd, that_cannot_open_its_store_says_which_key) {
  auto l = loaded();
  l.settings.store.path = folder + "/missing/stox.db";
  EXPECT_THAT(refused(l), HasSubstr("daemon.not_started why=\"store.path: " + l.settings.store.path +
                                    ": No such file or directory\""));
}

TEST_F(stoxd, that_is_told_to_end_while_it_starts_ends_well_and_listens_nowhere) {
  auto l = loaded();
  l.settings.admin.control = folder + "/missing/ctl";  // it does not get that far
  testing::internal::CaptureStderr();
  net::hold_signals();
  raise(SIGTERM);
  EXPECT_EQ(run(l), exit_code::clean);
  const timespec no_time{};
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGTERM);
  EXPECT_EQ(sigtimedwait(&ended, nullptr, &no_time), SIGTERM);
  net::release_signals();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("daemon.stopped how=clean why=\"a signal before it was ready\""),
                    testing::Not(HasSubstr("sip.listening"))));
  // The run before it, which never was, left nothing in doubt.
  EXPECT_THAT(running(loaded(), [] {}), testing::Not(HasSubstr("daemon.unclean_end")));
}

TEST_F(stoxd, that_cannot_have_an_address_says_which_key) {
  asio::io_context context;
  const asio::ip::udp::socket udp(context, {asio::ip::make_address("127.0.0.1"), 0});
  const asio::ip::tcp::acceptor tcp(context, {asio::ip::make_address("127.0.0.1"), 0});
  const auto busy_udp = "127.0.0.1:" + std::to_string(udp.local_endpoint().port());
  const auto busy_tcp = "127.0.0.1:" + std::to_string(tcp.local_endpoint().port());

  auto l = loaded();
  l.settings.sip.listen = {{transport::udp, *socket_address::parse(busy_udp)}};
  EXPECT_THAT(refused(l), HasSubstr("why=\"sip.listen: udp:" + busy_udp + ": Address already in use\""));
  l.settings.sip.listen = {{transport::tcp, *socket_address::parse(busy_tcp)}};
  EXPECT_THAT(refused(l), HasSubstr("why=\"sip.listen: tcp:" + busy_tcp + ": Address already in use\""));
  l = loaded();
  l.settings.admin.listen = busy_tcp;
  EXPECT_THAT(refused(l), HasSubstr("why=\"admin.listen: " + busy_tcp + ": "));
  l = loaded();
  std::ofstream(control()) << "precious";
  EXPECT_THAT(refused(l), HasSubstr("why=\"admin.control: " + control() + " exists and is no socket\""));
}

TEST_F(stoxd, is_alone_on_its_store) {
  const auto log = running(loaded(), [this] {
    auto second = loaded();
    second.settings.admin.control.clear();
    EXPECT_EQ(run(second), exit_code::failed);
  });
  EXPECT_THAT(log, HasSubstr("why=\"store.path: " + database() + ": another stoxd has it open\""));
  EXPECT_FALSE((*store::sqlite_store::open(database()))->found_unclean());
}

TEST_F(stoxd, that_crashed_leaves_an_incident) {
  { ASSERT_TRUE(store::sqlite_store::open(database())); }  // without a clean end
  std::string answer;
  const auto log = running(loaded(), [&] { answer = cli::ask_daemon(control(), "incidents 0 10").value(); });
  EXPECT_THAT(log, HasSubstr("warning daemon.unclean_end"));
  EXPECT_THAT(answer,
              AllOf(HasSubstr("{\"incidents\":[{\"at\":\"20"), HasSubstr("\"kind\":\"daemon.unclean_end\"")));
}

TEST_F(stoxd, goes_on_when_its_store_cannot_be_written_and_says_so_once) {
  {
    ASSERT_TRUE(store::sqlite_store::open(database()));
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(database().c_str(), &raw), SQLITE_OK);
    const store::database db(raw);
    ASSERT_TRUE(store::execute(
        raw, "CREATE TRIGGER full BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'no room'); END"));
  }
  const auto log = running(loaded(), [&] {
    EXPECT_EQ(
        cli::ask_daemon(control(), "incidents 0 10").value(),
        "{\"incidents\":[],\"warning\":\"the store cannot write (no room): newer incidents stand only in "
        "the log\"}");
  });
  const auto at = log.find("error store.cannot_write why=\"no room\"");
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find("store.cannot_write", at + 10), std::string::npos);
  EXPECT_THAT(log, HasSubstr("daemon.stopped how=clean"));
}

TEST_F(stoxd, that_finds_its_store_broken_moves_it_aside_and_says_so) {
  std::ofstream(database()) << std::string(500, 'x');
  std::string incidents, status;
  const auto log = running(loaded(), [&] {
    incidents = cli::ask_daemon(control(), "incidents 0 10").value();
    status = cli::ask_daemon(control(), "status").value();
  });
  EXPECT_THAT(log, AllOf(HasSubstr("error store.broken moved_to=" + database() + ".broken-"),
                         HasSubstr("file is not a database"), HasSubstr("daemon.stopped how=clean")));
  EXPECT_THAT(incidents, HasSubstr("\"kind\":\"store.broken\""));
  EXPECT_THAT(status, AllOf(HasSubstr("\"store\":\"" + database() + "\""),
                            HasSubstr("{\"name\":\"store_writable\",\"labels\":{},\"value\":1}")));
}

TEST_F(stoxd, runs_without_its_file_where_that_cannot_be_used_and_says_so) {
  // A folder where the mark of a running daemon belongs: the file cannot be had, for root as well.
  std::filesystem::create_directory(database() + ".running");
  std::string status;
  const auto log = running(loaded(), [&] { status = cli::ask_daemon(control(), "status").value(); });
  EXPECT_THAT(log,
              AllOf(HasSubstr("error store.cannot_write why=\"" + database() + ".running: cannot be made\""),
                    HasSubstr("open receipts are in memory"), HasSubstr("daemon.stopped how=clean")));
  EXPECT_THAT(status, AllOf(HasSubstr("\"store\":\"in memory until the restart: "),
                            HasSubstr("{\"name\":\"store_writable\",\"labels\":{},\"value\":0}")));
}

/// A MESSAGE from a trusted peer whose client says what it takes.
void send_message(const std::string& to_address) {
  const auto colon = to_address.rfind(':');
  asio::io_context context;
  asio::ip::udp::socket socket(context, {asio::ip::make_address("127.0.0.1"), 0});
  const std::string text =
      "MESSAGE sip:ana@xmpp.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
      std::to_string(socket.local_endpoint().port()) +
      ";branch=z9hG4bK-a\r\nMax-Forwards: 70\r\nFrom: <sip:Bo@sip.example>;tag=1\r\n"
      "To: <sip:ana@xmpp.example>\r\nCall-ID: a\r\nCSeq: 1 MESSAGE\r\nAccept: message/cpim\r\n"
      "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
  const auto port = static_cast<std::uint16_t>(std::stoul(to_address.substr(colon + 1)));
  socket.send_to(asio::buffer(text), {asio::ip::make_address("127.0.0.1"), port});
}

TEST_F(stoxd, keeps_what_it_learns_of_a_client_over_a_restart_until_it_is_to_forget_it) {
  const auto ask = [this](const std::string& command) { return cli::ask_daemon(control(), command).value(); };
  const auto show = [&ask] { return ask("peer show sip:bo@sip.example"); };
  running(loaded(), [&] {
    const auto status = ask("status");
    const auto at = status.find("udp:127.0.0.1:");
    ASSERT_NE(at, std::string::npos) << status;
    send_message(status.substr(at, status.find('"', at) - at));
    while (show().find("cpim") == std::string::npos) std::this_thread::yield();
  });
  running(loaded(), [&] {
    EXPECT_THAT(show(),
                HasSubstr("{\"feature\":\"cpim\",\"value\":\"yes\",\"how\":\"accept\",\"learned\":\"20"));
    EXPECT_THAT(ask("store check"), AllOf(HasSubstr("\"sound\":true,\"writes\":true"),
                                          HasSubstr("{\"table\":\"capability\",\"rows\":2,\"expired\":0}")));
    EXPECT_EQ(ask("peer forget BO@sip.example/x"), "{\"ok\":true,\"forgotten\":\"BO@sip.example/x\"}");
    EXPECT_THAT(ask("peer forget sip.example"), HasSubstr("is no SIP URI or JID of a user"));
    EXPECT_THAT(show(), HasSubstr("\"capabilities\":[]"));
  });
  running(loaded(), [&] {
    EXPECT_THAT(show(), HasSubstr("\"capabilities\":[]"));
    EXPECT_THAT(ask("store check"), HasSubstr("{\"table\":\"capability\",\"rows\":0,\"expired\":0}"));
  });
}

TEST_F(stoxd, that_records_says_so_and_spares_earlier_traces) {
  auto l = loaded();
  l.record_path = folder + "/trace";
  std::ofstream(l.record_path) << "of a crash";
  const auto nothing = [] {};
  EXPECT_THAT(running(l, nothing),
              HasSubstr("warning daemon.recording file=" + l.record_path + ".1 limit=1000000000 "));
  l.record_bodies = true;
  l.settings.log.level = log_level::error;
  EXPECT_THAT(running(l, nothing), AllOf(HasSubstr("error daemon.recording file=" + l.record_path + ".2 "),
                                         HasSubstr("WHAT THEY WRITE")));
  EXPECT_EQ(std::filesystem::file_size(l.record_path), 10u);
  EXPECT_GT(std::filesystem::file_size(l.record_path + ".1"), 10u);
  l.record_path = folder + "/missing/trace";
  EXPECT_THAT(refused(l), HasSubstr("why=\"--record " + l.record_path + ": No such file or directory\""));
}

TEST_F(stoxd, ends_a_trace_at_its_limit_and_goes_on) {
  auto l = loaded();
  l.record_path = folder + "/trace";
  l.record_limit = 1;
  EXPECT_THAT(running(l, [] {}), AllOf(HasSubstr("warning daemon.record_ended file=" + l.record_path),
                                       HasSubstr("daemon.stopped how=clean")));
}

TEST_F(stoxd_with_file, takes_a_new_file_over_key_by_key) {
  const auto log = running([this] {
    write("[log]\nlevel = \"warning\"\n[store]\npath = \"" + database() + "\"\n", "hold = \"3s\"\n");
    EXPECT_EQ(
        ask("reload"),
        "{\"ok\":true,\"changed\":[{\"key\":\"sip.hold\",\"old\":\"2s\",\"new\":\"3s\"},{\"key\":\"log."
        "level\","
        "\"old\":\"info\",\"new\":\"warning\"}],\"waiting_for_restart\":[{\"key\":\"store.path\",\"old\":"
        "\":memory:\",\"new\":\"" +
            database() + "\"}],\"warnings\":[]}");
    EXPECT_THAT(ask("reload"), HasSubstr("\"changed\":[],\"waiting_for_restart\":[{\"key\":\"store.path\""));
    EXPECT_THAT(ask("status"), HasSubstr("\"waiting_for_restart\":[{\"key\":\"store.path\""));
    write("");
    EXPECT_THAT(ask("reload"), HasSubstr("\"waiting_for_restart\":[]"));
  });
  EXPECT_THAT(log, HasSubstr("info daemon.config_changed key=sip.hold old=2s new=3s\n"));
  EXPECT_THAT(log, HasSubstr("warning daemon.restart_needed key=store.path old=:memory: new=" + database()));
}

TEST_F(stoxd_with_file, changes_nothing_when_the_new_file_is_wrong) {
  const auto log = running([this] {
    write("[log]\nlevel = \"loud\"\n", "hold = \"3s\"\n");
    EXPECT_THAT(ask("reload"),
                AllOf(HasSubstr("{\"error\":\"reload refused, nothing was changed\",\"errors\":[\""),
                      HasSubstr("log.level: \\\"loud\\\" is unknown")));
    write("", "hold = \"3s\"\n");
    EXPECT_THAT(ask("reload"), HasSubstr("\"old\":\"2s\",\"new\":\"3s\""));
  });
  EXPECT_THAT(log, HasSubstr("error daemon.reload_refused why="));
}

TEST_F(stoxd_with_file, keeps_a_log_level_that_was_set_by_hand) {
  const auto log = running([this] {
    ask("log-level error");
    write("", "hold = \"3s\"\n");
    ask("reload");
  });
  EXPECT_THAT(log, testing::Not(HasSubstr("daemon.config_changed")));
}

TEST_F(stoxd_with_file, opens_and_ends_links_as_the_file_says) {
  running([this] {
    const auto first = ask("peer show");
    EXPECT_THAT(first, HasSubstr("\"domain\":\"sip.example\",\"server\":\"127.0.0.1:1\""));
    write(
        "[[xmpp.component]]\ndomain = \"two.example\"\nserver = \"127.0.0.1:1\"\nsecret = \"s\"\n"
        "[[gateway.domain]]\nsip = \"two.example\"\nxmpp = \"two.example\"\n");
    EXPECT_THAT(ask("reload"),
                HasSubstr("{\"key\":\"xmpp.component\",\"added\":[\"two.example\"],\"removed\":[]}"));
    EXPECT_THAT(ask("peer show two.example"), HasSubstr("\"leaving\":false"));
    write("");
    ask("reload");
    // Its link has nothing to finish.
    while (ask("peer show two.example").find("two.example is not served") == std::string::npos)
      std::this_thread::yield();
  });
}

TEST_F(stoxd_with_file, blocks_what_it_is_told_and_nothing_else) {
  running([this] {
    EXPECT_EQ(ask("block 192.0.2.9/24 60"), "{\"ok\":true,\"blocked\":\"192.0.2.9/24\"}");
    EXPECT_THAT(ask("blocks"), HasSubstr("{\"blocks\":[{\"what\":\"192.0.2.0/24\",\"until\":\"20"));
    EXPECT_EQ(ask("block eve@xmpp.example/desk"),
              "{\"error\":\"eve@xmpp.example/desk is no IP address, network, bare JID, domain, "
              "sip:user@domain or sip:domain\"}");
    EXPECT_EQ(ask("block sip:Eve@sip.example"), "{\"ok\":true,\"blocked\":\"sip:Eve@sip.example\"}");
    EXPECT_EQ(ask("unblock sip:eve@sip.example"), "{\"ok\":true,\"unblocked\":\"sip:eve@sip.example\"}");
    EXPECT_EQ(ask("unblock 192.0.2.0/24"), "{\"ok\":true,\"unblocked\":\"192.0.2.0/24\"}");
    EXPECT_EQ(ask("unblock 192.0.2.0/24"), "{\"error\":\"192.0.2.0/24 is not blocked\"}");
    EXPECT_EQ(ask("blocks"), "{\"blocks\":[]}");
  });
}

TEST_F(stoxd_with_file, shows_the_blocks_of_the_file_and_takes_them_over_from_it) {
  running([this] {
    write({}, {}, "block = [\"192.0.2.9/24\", \"sip:Eve@sip.example\"]\n");
    EXPECT_THAT(ask("reload"), HasSubstr("{\"key\":\"gateway.block\",\"added\":"));
    EXPECT_EQ(ask("blocks"),
              "{\"blocks\":[{\"what\":\"192.0.2.0/24\",\"until\":\"\",\"from\":\"configuration\"},"
              "{\"what\":\"sip:eve@sip.example\",\"until\":\"\",\"from\":\"configuration\"}]}");
    EXPECT_EQ(ask("unblock 192.0.2.0/24"),
              "{\"error\":\"192.0.2.0/24 stands in gateway.block; take it out there and reload\"}");
    EXPECT_EQ(ask("block 192.0.2.0/24"), "{\"ok\":true,\"blocked\":\"192.0.2.0/24\"}");
    EXPECT_EQ(ask("unblock 192.0.2.0/24"), "{\"ok\":true,\"unblocked\":\"192.0.2.0/24\"}");
    write({});
    ask("reload");
    EXPECT_EQ(ask("blocks"), "{\"blocks\":[]}");
  });
}

TEST_F(stoxd, ends_clean_by_command) {
  const auto l = loaded();
  testing::internal::CaptureStderr();
  auto code = std::async(std::launch::async, [&l] { return run(l); });
  while (!cli::ask_daemon(control(), "version")) std::this_thread::yield();
  EXPECT_EQ(cli::ask_daemon(control(), "drain 7").value(), "{\"ok\":true}");
  EXPECT_EQ(code.get(), exit_code::clean);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("daemon.stopping limit=7s"));
  EXPECT_THAT(log, HasSubstr("daemon.stopped how=clean"));
}

TEST_F(stoxd, counts_its_start_its_version_and_lost_log_lines) {
  std::string status;
  running(loaded(), [&] { status = cli::ask_daemon(control(), "status").value(); });
  EXPECT_THAT(status, HasSubstr("{\"name\":\"build_info\",\"labels\":{\"version\":\"" STOX_VERSION
                                "\"},\"value\":1}"));
  EXPECT_THAT(status, HasSubstr("{\"name\":\"start_time_seconds\",\"labels\":{},\"value\":1"));
  EXPECT_THAT(status, HasSubstr("{\"name\":\"log_lines_lost_total\",\"labels\":{},\"value\":0}"));
}

}  // namespace
}  // namespace stox::daemon
