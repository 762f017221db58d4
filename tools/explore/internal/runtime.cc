// What a model build puts in the place of the runtime's own: the allocation
// functions, the guards of function-local statics, assert(), and signals that
// end a program.
//
// The guards and assert() by the linker's --wrap (see BUILD), so that it does
// not matter how the runtime is linked.

#include "heddle/tools/explore/internal/runtime.h"

#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "heddle/thread/internal/throw.h"
#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/engine.h"

#if defined(__x86_64__)
#include <ucontext.h>
#endif

namespace heddle {
namespace explore {
namespace {

void* New(size_t bytes, size_t alignment) {
  if (use_arena) return engine.Allocate(bytes, alignment);
  void* const block =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(bytes)
          : std::aligned_alloc(alignment,
                               (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) internal::Throw(std::bad_alloc());
  return block;
}

void Delete(void* block) noexcept {
  if (!arena.Owns(block)) {
    std::free(block);
  } else if (exploring) {
    engine.Free(block);
  } else if (!arena.Free(block)) {
    std::fputs("explore: memory of an execution is freed twice\n", stderr);
    std::abort();
  }
}

// A static that is made while code under exploration runs lives on after the
// execution: its memory is malloc's, and no thread interrupts its making.
int statics_being_made = 0;

void BeginStatic() {
  if (statics_being_made > 0 || exploring) {
    ++statics_being_made;
    exploring = false;
    use_arena = false;
  }
}

void EndStatic() {
  if (statics_being_made > 0 && --statics_being_made == 0) {
    exploring = true;
    use_arena = true;
  }
}

#if defined(__x86_64__)

int crash_signal = 0;

// Where a thread of an execution goes on after a signal that would have ended
// the program.
void Crashed() {
  engine.Fail(FailureKind::kCrash,
              ThreadName(engine.current()) + " is ended by signal " +
                  std::to_string(crash_signal) + " (SIG" +
                  std::string(sigabbrev_np(crash_signal)) + ")");
}

void OnSignal(int signal, siginfo_t* /*info*/, void* context) {
  if (!exploring && statics_being_made == 0) {
    // Not ours: happens again, and then has its usual effect.
    ::signal(signal, SIG_DFL);
    return;
  }
  statics_being_made = 0;
  crash_signal = signal;
  auto* const where = static_cast<ucontext_t*>(context);
  // On a stack of its own: the thread's may have overflowed.
  const auto stack = reinterpret_cast<uintptr_t>(arena.stack(kMaxThreads));
  where->uc_mcontext.gregs[REG_RSP] =
      static_cast<greg_t>(stack + Arena::kStackBytes - 8);
  where->uc_mcontext.gregs[REG_RIP] =
      static_cast<greg_t>(reinterpret_cast<uintptr_t>(&Crashed));
}

#endif

}  // namespace

void CatchCrashes() {
#if defined(__x86_64__)
  static bool done = false;
  if (done) return;
  done = true;
  static char stack[64 << 10];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    sigaction(signal, &action, nullptr);
#endif
}

}  // namespace explore
}  // namespace heddle

void* operator new(std::size_t bytes) {
  return heddle::explore::New(bytes, 16);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return heddle::explore::New(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { heddle::explore::Delete(block); }
void operator delete(void* block, std::size_t /*bytes*/) noexcept {
  heddle::explore::Delete(block);
}
void operator delete(void* block, std::align_val_t /*alignment*/) noexcept {
  heddle::explore::Delete(block);
}
void operator delete(void* block, std::size_t /*bytes*/,
                     std::align_val_t /*alignment*/) noexcept {
  heddle::explore::Delete(block);
}

extern "C" {

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier)
int __real___cxa_guard_acquire(int64_t* guard);
void __real___cxa_guard_release(int64_t* guard);
void __real___cxa_guard_abort(int64_t* guard);
int __wrap___cxa_guard_acquire(int64_t* guard);
void __wrap___cxa_guard_release(int64_t* guard);
void __wrap___cxa_guard_abort(int64_t* guard);
[[noreturn]] void __wrap___assert_fail(const char* assertion, const char* file,
                                       unsigned line, const char* function);

int __wrap___cxa_guard_acquire(int64_t* guard) {
  const int must_make = __real___cxa_guard_acquire(guard);
  if (must_make != 0) heddle::explore::BeginStatic();
  return must_make;
}
void __wrap___cxa_guard_release(int64_t* guard) {
  heddle::explore::EndStatic();
  __real___cxa_guard_release(guard);
}
void __wrap___cxa_guard_abort(int64_t* guard) {
  heddle::explore::EndStatic();
  __real___cxa_guard_abort(guard);
}

void __wrap___assert_fail(const char* assertion, const char* file,
                          unsigned line, const char* /*function*/) {
  using heddle::explore::exploring;
  if (exploring) {
    heddle::explore::engine.Fail(
        heddle::explore::FailureKind::kCheck,
        heddle::explore::Describe(
            heddle::explore::Where{file, static_cast<int>(line)}) +
            ": assert(" + assertion + ")");
  }
  std::fprintf(stderr, "%s:%u: assert(%s) does not hold\n", file, line,
               assertion);
  std::abort();
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
