// Tells what a mailbox talks about: groups its messages by subject, with four
// threads that read the headers.
// Run: bazel run :mail_digest -- MAILBOX
//
// A mailbox here is a file of lines "SENDER: SUBJECT". The point of the program
// is its neighbourhood: this repository has a thread/thread.h, a sync/lock.h and
// a queue/queue.h of its own, and Heddle's besides.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "heddle/queue/queue.h"
#include "heddle/sync/lock.h"
#include "heddle/thread/thread.h"
#include "queue/queue.h"
#include "sync/lock.h"
#include "thread/thread.h"

namespace {

// Subjects to threads, filled by several readers.
class Digest {
 public:
  void Add(const std::string& line) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) return;
    absl::string_view subject = absl::string_view(line).substr(colon + 1);
    subject = absl::StripAsciiWhitespace(subject);
    while (absl::StartsWithIgnoreCase(subject, "re:")) {
      subject = absl::StripLeadingAsciiWhitespace(subject.substr(3));
    }
    const std::lock_guard guard(lock_);
    mail::Thread& thread = threads_[std::string(subject)];
    thread.subject = std::string(subject);
    thread.senders.push_back(line.substr(0, colon));
  }

  mail::Queue ToShow() {
    mail::Queue queue;
    const std::lock_guard guard(lock_);
    for (auto& [subject, thread] : threads_) {
      std::sort(thread.senders.begin(), thread.senders.end());
      queue.Add(std::move(thread));
    }
    threads_.clear();
    return queue;
  }

 private:
  heddle::Lock lock_;
  std::map<std::string, mail::Thread> threads_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "mail_digest: usage: mail_digest MAILBOX\n";
    return 2;
  }
  const mail::Lock mailbox(argv[1]);
  if (!mailbox.held()) {
    std::cerr << "mail_digest: cannot make " << mailbox.path()
              << "; is another program at this mailbox?\n";
    return 1;
  }
  std::ifstream file(argv[1]);
  if (!file) {
    std::cerr << "mail_digest: cannot read " << argv[1] << "\n";
    return 1;
  }

  Digest digest;
  heddle::Queue<std::string> lines(/*maxsize=*/100);
  std::vector<heddle::Thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (const std::string& line : lines) digest.Add(line);
    });
    readers.back().Start();
  }
  for (std::string line; std::getline(file, line);) lines.Put(std::move(line));
  lines.Shutdown();
  for (heddle::Thread& reader : readers) reader.Join();

  mail::Queue queue = digest.ToShow();
  for (const mail::Thread& thread : queue.Take()) {
    std::cout << thread.senders.size() << " " << thread.subject << " ("
              << absl::StrJoin(thread.senders, ", ") << ")\n";
  }
}
