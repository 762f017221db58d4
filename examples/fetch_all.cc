// Fetches many pages from a server at the same time, over sockets, takes them as
// they come, and stops what it no longer wants. The server is its own, on this
// machine. Prints "38 pages, 2 errors, 2 not waited for, 1 too slow".
// Run: bazel run //examples:fetch_all
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "heddle/futures/as_completed.h"
#include "heddle/futures/future.h"
#include "heddle/futures/progress.h"
#include "heddle/futures/thread_pool_executor.h"
#include "heddle/pool/blocking_region.h"
#include "heddle/thread/thread.h"

namespace {

using heddle::Future;
using Page = std::optional<std::string>;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// A connection, or what listens for some.
class Socket {
 public:
  Socket() : Socket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) Fail("socket");
  }
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int fd() const { return fd_; }

  // Ends what is blocked on it, in whichever thread.
  void HangUp() const { shutdown(fd_, SHUT_RDWR); }

  // False if the other end has hung up.
  [[nodiscard]] bool Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // Up to the end of the line, or of the connection.
  [[nodiscard]] std::string ReceiveLine() const {
    std::string line;
    char c = 0;
    while (recv(fd_, &c, 1, 0) == 1 && c != '\n') line.push_back(c);
    return line;
  }

 private:
  int fd_;
};

sockaddr_in LocalAddress(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Answers a request, which is a line, with a line: "/page/N" at once, "/error/N"
// with an error, "/hang/N" never.
class Server {
 public:
  Server() {
    sockaddr_in address = LocalAddress(0);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.fd(), any, size) != 0) Fail("bind");
    if (listen(listener_.fd(), 128) != 0) Fail("listen");
    if (getsockname(listener_.fd(), any, &size) != 0) Fail("getsockname");
    port_ = ntohs(address.sin_port);
    acceptor_.Start();
  }
  ~Server() {
    listener_.HangUp();
    acceptor_.Join();
  }

  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept(listener_.fd(), nullptr, nullptr);
      if (fd < 0) return;
      handlers_.Submit(
          [](const Socket& client) {
            const heddle::BlockingRegion blocking;
            const std::string path = client.ReceiveLine();
            if (absl::StartsWith(path, "/page/")) {
              return client.Send(absl::StrCat("200 this is ", path, "\n"));
            }
            if (absl::StartsWith(path, "/error/")) {
              return client.Send("500 out of paper\n");
            }
            return client.ReceiveLine().empty();  // until it hangs up
          },
          Socket(fd));
    }
  }

  Socket listener_;
  uint16_t port_ = 0;
  heddle::ThreadPoolExecutor handlers_{8};
  heddle::Thread acceptor_{[this] { Accept(); }};
};

// The page, or nothing if there is none or the fetch was stopped. A stop hangs
// up: that ends whatever call is blocked just then.
Page Fetch(std::stop_token stop, uint16_t port, const std::string& path) {
  const Socket server;
  const std::stop_callback hang_up(std::move(stop),
                                   [&server] { server.HangUp(); });
  const heddle::BlockingRegion blocking;  // others may have this thread's place
  const sockaddr_in address = LocalAddress(port);
  if (connect(server.fd(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0 ||
      !server.Send(absl::StrCat(path, "\n"))) {
    return std::nullopt;
  }
  std::string answer = server.ReceiveLine();
  if (!absl::StartsWith(answer, "200 ")) return std::nullopt;
  return answer.substr(4);
}

}  // namespace

int main() {
  const Server server;
  heddle::ThreadPoolExecutor executor(8);

  // One page, with a time limit of its own.
  const Future<Page> slow = executor.Submit(Fetch, server.port(), "/hang/0");
  int too_slow = 0;
  if (!slow.Wait(absl::Milliseconds(50))) {
    ++too_slow;
    slow.RequestStop();
  }

  // Many, of which two will never come.
  std::vector<Future<Page>> requests;
  for (int i = 0; i < 42; ++i) {
    const char* const kind = i % 20 == 7   ? "/hang/"
                             : i % 20 == 9 ? "/error/"
                                           : "/page/";
    requests.push_back(
        executor.Submit(Fetch, server.port(), absl::StrCat(kind, i)));
  }
  constexpr int kEnough = 40;
  int pages = 0;
  int errors = 0;
  heddle::Progress progress({.what = "fetching", .total = kEnough});
  for (const Future<Page>& request : heddle::AsCompleted(
           requests, {.limit = absl::Minutes(1), .progress = &progress})) {
    ++(request.Result().has_value() ? pages : errors);
    if (pages + errors == kEnough) break;
  }

  int not_waited_for = 0;
  for (const Future<Page>& request : requests) {
    if (request.Done()) continue;
    ++not_waited_for;
    if (!request.Cancel()) request.RequestStop();  // it has begun
  }
  executor.Shutdown();
  std::cout << pages << " pages, " << errors << " errors, " << not_waited_for
            << " not waited for, " << too_slow << " too slow\n";
}
