// Engine: runs one execution after another: threads as fibers, a scheduling
// point before each operation that other threads can see, and a strategy that
// decides there.
//
//   (E1) between two scheduling points nothing but the current thread runs, so
//        what the engine does itself needs no synchronization.
//   (E2) an execution is a function of the strategy's answers alone: addresses
//        come from the arena, time from the engine, and what outlives an
//        execution is put back as it was.
//   (E3) whoever finds a failure leaves for the main fiber and never returns;
//        stacks and memory of the execution are forgotten, not unwound.

#ifndef HEDDLE_TOOLS_EXPLORE_INTERNAL_ENGINE_H_
#define HEDDLE_TOOLS_EXPLORE_INTERNAL_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/fiber.h"
#include "heddle/tools/explore/internal/memory.h"
#include "heddle/tools/explore/internal/strategy.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

// True while code under exploration runs. Elsewhere (before main(), in the test
// around the exploration) an Atomic is plain memory.
extern constinit bool exploring;

// What bounds an execution; see Options in explore.h.
struct Limits {
  int64_t max_steps = 20000;
  int spurious = 1;
  int thread_start_failures = 0;
  int stale_reads = 2;
  bool reuse_memory = false;
  bool check_leaks = true;
};

// One line of the trace of a failed execution.
struct TraceLine {
  int64_t step;
  int thread;
  std::string text;
  Where where;
  const void* place;  // in the program, if `where` is not known
};

struct Outcome {
  FailureKind kind = FailureKind::kNone;
  std::string text;
  int64_t steps = 0;
};

class Engine {
 public:
  constexpr Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs `body(argument)` as thread 0 until all threads have ended or something
  // failed. With `trace`, takes down what happens.
  const Outcome& Run(Strategy& strategy, const Limits& limits,
                     void (*body)(void*), void* argument, bool trace);

  // What the last execution was decided by, and did.
  std::vector<uint8_t> answers() const;
  const std::vector<TraceLine>& trace() const { return *trace_; }

  // For the operations, which all run in a thread of the execution.
  int current() const { return current_; }
  bool tracing() const { return tracing_; }
  Memory& memory() { return memory_; }

  // A scheduling point: other threads may run before it returns. Before a load
  // in a loop the thread lets others go first after a while, because otherwise
  // an execution in which nobody else runs would never end.
  void Step() {
    if (++steps_ > limits_.max_steps) TooManySteps();
    Thread& self = threads_[current_];
    if (self.fresh) {  // it was chosen just now to do this
      self.fresh = false;
      return;
    }
    if (runnable_ == Bit(current_) && timed_ == 0 &&
        (asleep_ == 0 || spurious_left_ == 0)) {
      return;
    }
    Reschedule();
  }
  void NoteRead() {
    if (++threads_[current_].reads > kReadsUntilYield) LetOthersGo();
  }
  void NoteWrite() { threads_[current_].reads = 0; }
  void LetOthersGo();

  int Decide(Choice choice, int count, bool deviates);
  bool MaySpuriouslyFail() const { return spurious_left_ > 0; }
  void CountSpurious() { --spurious_left_; }

  // Waits until somebody notifies, by address. Not seen by the model.
  void Wait(const void* on, const char* what);
  void Notify(const void* on);

  // As futexes do. Sleep() returns false if the deadline passed.
  bool Sleep(const void* address, bool timed, int64_t deadline);
  int Wake(const void* address, bool all);

  // Starts a thread; -1 if the system "refuses". Fails if there are too many.
  int Start(void (*run)(void*), void* argument);
  // Waits for the end of all these threads (as bits).
  void Join(uint32_t threads);

  int64_t now() const { return now_; }
  bool TimePasses(int64_t deadline);
  void*& per_thread(int slot) { return threads_[current_].slots[slot]; }
  // Called in the current thread when its function has returned; then it may be
  // set again. The last one counts.
  void AtThreadEnd(void (*end)(void*), void* argument) {
    threads_[current_].at_end = end;
    threads_[current_].at_end_argument = argument;
  }

  void* Allocate(size_t bytes, size_t alignment);
  void Free(void* block);

  void Name(const void* address, size_t bytes, const char* name);
  std::string NameOf(const void* address) const;  // "" if it has none
  void AddLine(Where where, const void* place, const char* format, ...)
      __attribute__((format(printf, 4, 5)));

  [[noreturn]] void Fail(FailureKind kind, const std::string& text);

  static constexpr int kPerThreadSlots = 8;
  static constexpr uint32_t Bit(int thread) { return uint32_t{1} << thread; }

 private:
  struct Thread {
    Fiber fiber;
    enum State {
      kNone,
      kRunnable,
      kAsleep,
      kWaiting,
      kJoining,
      kEnded
    } state = kNone;
    bool fresh = false;
    bool timed = false;
    enum { kWoken, kTimedOut, kForNoReason } woken_by = kWoken;
    int reads = 0;
    const void* waits_on =
        nullptr;         // the futex it sleeps on, or what it awaits
    uint32_t joins = 0;  // those whose end it awaits
    const char* what = "";
    int64_t deadline = 0;
    uint64_t slept_at = 0;  // orders the sleepers
    void (*run)(void*) = nullptr;
    void* argument = nullptr;
    void (*at_end)(void*) = nullptr;
    void* at_end_argument = nullptr;
    void* slots[kPerThreadSlots] = {};
  };
  struct NamedRange {
    const void* address;
    size_t bytes;
    std::string name;
  };

  static constexpr int kReadsUntilYield = 12;
  static constexpr size_t kMaxAnswers = size_t{1} << 20;

  static void ThreadMain();

  [[noreturn]] void TooManySteps();
  // Lets the strategy pick among all threads that can go on, the current one
  // included if it is runnable and does not yield.
  void Reschedule(bool yields = false);
  void SwitchTo(int thread);
  [[noreturn]] void EndThread();
  [[noreturn]] void Deadlock();
  void Prepare(int thread, void (*run)(void*), void* argument);

  Strategy* strategy_ = nullptr;
  Limits limits_;
  bool tracing_ = false;
  int current_ = 0;
  int threads_used_ = 0;
  uint32_t runnable_ = 0;
  uint32_t timed_ = 0;   // asleep with a deadline
  uint32_t asleep_ = 0;  // on a futex
  int spurious_left_ = 0;
  int start_failures_left_ = 0;
  int64_t steps_ = 0;
  int64_t now_ = 0;
  uint64_t sleeps_ = 0;
  Fiber main_;
  Thread threads_[kMaxThreads];
  Memory memory_;
  uint8_t* answers_ = nullptr;  // an array of kMaxAnswers
  size_t answer_count_ = 0;
  // Never destroyed.
  Outcome* outcome_ = nullptr;
  std::vector<TraceLine>* trace_ = nullptr;
  std::vector<NamedRange>* names_ = nullptr;
};

extern constinit Engine engine;

// Short forms, of the engine.
[[noreturn]] inline void Fail(FailureKind kind, const std::string& text) {
  engine.Fail(kind, text);
}
inline int Decide(Choice choice, int count, bool deviates) {
  return engine.Decide(choice, count, deviates);
}
inline bool MaySpuriouslyFail() { return engine.MaySpuriouslyFail(); }
inline void CountSpurious() { engine.CountSpurious(); }

// "thread 2"; "main" is the body's.
std::string ThreadName(int thread);
// "counter", "atomic A3 (sync/lock.h:155)", ...
std::string Describe(const Location& location);
// "sync/lock.h:155"
std::string Describe(Where where);

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_INTERNAL_ENGINE_H_
