// OsThread of a model build: threads of the execution, where the system may
// refuse one. Sizes, CPUs and niceness have no effect.

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "heddle/thread/internal/os_thread.h"
#include "heddle/thread/wait_limit.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {
namespace {

struct Begin {
  void* (*run)(void*);
  void* argument;
};

// By the thread's number. What the system keeps of a thread until it is joined or
// detached: a model in which neither happens leaks it.
Begin* begun[16];

void Run(void* opaque) {
  auto* const begin = static_cast<Begin*>(opaque);
  begun[explore::CurrentThread() - 1] = begin;
  begin->run(begin->argument);
}

void Forget(int thread) { delete std::exchange(begun[thread], nullptr); }

}  // namespace

int OsThread::Start(void* (*run)(void*), void* argument, size_t /*stack_size*/,
                    const std::vector<int>& /*cpus*/) {
  auto* const begin = new Begin{run, argument};
  if (explore::StartThread(&Run, begin) >= 0) return 0;
  delete begin;
  return EAGAIN;
}

void OsThread::Join() {
  explore::JoinThread(handle_);
  Forget(handle_);
}

bool OsThread::JoinWithin(const WaitLimit& limit) {
  // That the time passes first is a choice of the explorer's.
  if (limit.Passed()) return false;
  Join();
  return true;
}

void OsThread::Detach() { Forget(handle_); }

OsThread OsThread::Current() {
  OsThread current;
  current.handle_ = static_cast<int>(explore::CurrentThread()) - 1;
  return current;
}

size_t SmallestStack() { return 32768; }

bool SystemRefusesStackSize(size_t /*size*/) { return false; }

int SetNicenessOfThisThread(int /*niceness*/) { return 0; }

int UsableCpus() { return 2; }

}  // namespace internal
}  // namespace heddle
