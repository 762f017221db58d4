// OsThread of a model build: threads of the execution, where the system may
// refuse one. Sizes, CPUs and niceness have no effect.

#include <cerrno>
#include <cstddef>
#include <vector>

#include "heddle/thread/internal/os_thread.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {
namespace {

struct Begin {
  void* (*run)(void*);
  void* argument;
};

void Run(void* opaque) {
  auto* const begin = static_cast<Begin*>(opaque);
  const Begin copy = *begin;
  delete begin;
  copy.run(copy.argument);
}

}  // namespace

int OsThread::Start(void* (*run)(void*), void* argument, size_t /*stack_size*/,
                    const std::vector<int>& /*cpus*/) {
  auto* const begin = new Begin{run, argument};
  if (explore::StartThread(&Run, begin) >= 0) return 0;
  delete begin;
  return EAGAIN;
}

void OsThread::Join() { explore::JoinThread(static_cast<int>(handle_)); }

void OsThread::Detach() {}

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
