#include "heddle/tools/explore/internal/engine.h"

#include <bit>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "heddle/thread/internal/throw.h"
#include "heddle/tools/explore/failure.h"
#include "heddle/tools/explore/internal/arena.h"
#include "heddle/tools/explore/internal/fiber.h"
#include "heddle/tools/explore/internal/memory.h"
#include "heddle/tools/explore/internal/strategy.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

constinit bool exploring = false;
constinit Engine engine;

const Outcome& Engine::Run(Strategy& strategy, const Limits& limits,
                           void (*body)(void*), void* argument, bool trace) {
  if (outcome_ == nullptr) {
    arena.Map();
    outcome_ = new Outcome;
    trace_ = new std::vector<TraceLine>;
    names_ = new std::vector<NamedRange>;
    answers_ = new uint8_t[kMaxAnswers];
    memory_.Reset();
  }
  *outcome_ = Outcome();
  if (trace) trace_->clear();
  names_->clear();
  strategy_ = &strategy;
  limits_ = limits;
  memory_.max_stale_reads = limits.stale_reads;
  tracing_ = trace;
  for (int i = 0; i < threads_used_; ++i) threads_[i].state = Thread::kNone;
  threads_used_ = 1;
  runnable_ = 0;
  timed_ = 0;
  asleep_ = 0;
  spurious_left_ = limits.spurious;
  start_failures_left_ = limits.thread_start_failures;
  steps_ = 0;
  now_ = 1'000'000'000;
  sleeps_ = 0;
  answer_count_ = 0;
  Prepare(0, body, argument);
  current_ = 0;

  exploring = true;
  use_arena = true;
  Fiber::Switch(main_, threads_[0].fiber);
  use_arena = false;
  exploring = false;

  outcome_->steps = steps_;
  if (outcome_->kind == FailureKind::kNone && limits.check_leaks &&
      arena.live() > 0) {
    const void* const block = arena.FirstLive();
    outcome_->kind = FailureKind::kLeak;
    outcome_->text = std::to_string(arena.live()) +
                     " blocks are never freed; the first is block " +
                     std::to_string(arena.NumberOf(block)) + ", of " +
                     std::to_string(arena.BytesOf(block)) + " bytes";
  }
  memory_.Reset();
  arena.Reset();
  return *outcome_;
}

std::vector<uint8_t> Engine::answers() const {
  return {answers_, answers_ + answer_count_};
}

void Engine::Prepare(int thread, void (*run)(void*), void* argument) {
  Thread& it = threads_[thread];
  it.state = Thread::kRunnable;
  it.fresh = true;
  it.reads = 0;
  it.run = run;
  it.argument = argument;
  it.at_end = nullptr;
  std::memset(it.slots, 0, sizeof(it.slots));
  it.fiber.Prepare(arena.stack(thread), Arena::kStackBytes, &ThreadMain);
  runnable_ |= Bit(thread);
}

void Engine::ThreadMain() {
  Thread& self = engine.threads_[engine.current_];
  const std::exception_ptr error = internal::CatchAll([&self] {
    self.run(self.argument);
    while (self.at_end != nullptr)
      std::exchange(self.at_end, nullptr)(self.at_end_argument);
  });
  if (error != nullptr) {
    engine.Fail(FailureKind::kException, "an exception left the function of " +
                                             ThreadName(engine.current_));
  }
  engine.EndThread();
}

void Engine::EndThread() {
  if (tracing_) AddLine(Where(), nullptr, "ends");
  Thread& self = threads_[current_];
  self.state = Thread::kEnded;
  runnable_ &= ~Bit(current_);
  uint32_t alive = 0;
  for (int i = 0; i < threads_used_; ++i) {
    Thread& thread = threads_[i];
    if (thread.state == Thread::kEnded) continue;
    alive |= Bit(i);
    if (thread.state == Thread::kJoining &&
        (thread.joins &= ~Bit(current_)) == 0) {
      thread.state = Thread::kRunnable;
      runnable_ |= Bit(i);
    }
  }
  if (alive == 0) {
    Fiber::Switch(self.fiber, main_);
  } else {
    Reschedule();
  }
  __builtin_unreachable();
}

void Engine::Reschedule(bool yields) {
  Candidates candidates;
  candidates.runnable = runnable_;
  candidates.timed = timed_;
  candidates.step = steps_;
  const uint32_t self = Bit(current_);
  if ((runnable_ & self) != 0) {
    if (yields && runnable_ != self) {
      candidates.runnable &= ~self;
      candidates.yielding = current_;
    } else {
      candidates.current = current_;
    }
  }
  if (spurious_left_ > 0 && runnable_ != 0) candidates.spurious = asleep_;
  const int count = candidates.count();
  if (count == 0) Deadlock();
  int index = 0;
  if (count > 1) {
    if (answer_count_ == kMaxAnswers)
      Fail(FailureKind::kLimit, "the execution has too many choices");
    const OutsideArena outside;
    index = strategy_->PickThread(candidates);
    answers_[answer_count_++] = static_cast<uint8_t>(index);
  }
  const Candidates::Candidate next = candidates.at(index);
  Thread& thread = threads_[next.thread];
  if (next.how != Candidates::Candidate::kRun) {
    thread.state = Thread::kRunnable;
    runnable_ |= Bit(next.thread);
    asleep_ &= ~Bit(next.thread);
    timed_ &= ~Bit(next.thread);
    if (next.how == Candidates::Candidate::kTimeOut) {
      thread.woken_by = Thread::kTimedOut;
      if (now_ < thread.deadline) now_ = thread.deadline;
    } else {
      thread.woken_by = Thread::kForNoReason;
      --spurious_left_;
    }
  }
  if (next.thread != current_) SwitchTo(next.thread);
}

void Engine::SwitchTo(int thread) {
  Fiber& from = threads_[current_].fiber;
  current_ = thread;
  Fiber::Switch(from, threads_[thread].fiber);
}

void Engine::LetOthersGo() {
  Thread& self = threads_[current_];
  self.reads = 0;
  if (++steps_ > limits_.max_steps) TooManySteps();
  self.fresh = false;
  Reschedule(/*yields=*/true);
}

int Engine::Decide(Choice choice, int count, bool deviates) {
  if (answer_count_ == kMaxAnswers)
    Fail(FailureKind::kLimit, "the execution has too many choices");
  const OutsideArena outside;
  const int answer = strategy_->Pick(choice, count, deviates);
  answers_[answer_count_++] = static_cast<uint8_t>(answer);
  return answer;
}

void Engine::Wait(const void* on, const char* what) {
  Thread& self = threads_[current_];
  self.state = Thread::kWaiting;
  self.waits_on = on;
  self.what = what;
  runnable_ &= ~Bit(current_);
  Reschedule();
}

void Engine::Notify(const void* on) {
  for (int i = 0; i < threads_used_; ++i) {
    Thread& thread = threads_[i];
    if (thread.state != Thread::kWaiting || thread.waits_on != on) continue;
    thread.state = Thread::kRunnable;
    runnable_ |= Bit(i);
  }
}

bool Engine::Sleep(const void* address, bool timed, int64_t deadline) {
  Thread& self = threads_[current_];
  self.state = Thread::kAsleep;
  self.waits_on = address;
  self.deadline = deadline;
  self.slept_at = ++sleeps_;
  self.reads = 0;
  runnable_ &= ~Bit(current_);
  asleep_ |= Bit(current_);
  if (timed) timed_ |= Bit(current_);
  Reschedule();
  return self.woken_by != Thread::kTimedOut;
}

int Engine::Wake(const void* address, bool all) {
  int sleepers[kMaxThreads];
  int count = 0;
  for (int i = 0; i < threads_used_; ++i) {
    if (threads_[i].state != Thread::kAsleep ||
        threads_[i].waits_on != address) {
      continue;
    }
    int at = count++;
    for (; at > 0 && threads_[sleepers[at - 1]].slept_at > threads_[i].slept_at;
         --at) {
      sleepers[at] = sleepers[at - 1];
    }
    sleepers[at] = i;
  }
  if (count == 0) return 0;
  if (!all) {
    if (count > 1)
      sleepers[0] = sleepers[Decide(Choice::kWake, count, /*deviates=*/false)];
    count = 1;
  }
  for (int i = 0; i < count; ++i) {
    Thread& thread = threads_[sleepers[i]];
    thread.state = Thread::kRunnable;
    thread.woken_by = Thread::kWoken;
    runnable_ |= Bit(sleepers[i]);
    asleep_ &= ~Bit(sleepers[i]);
    timed_ &= ~Bit(sleepers[i]);
  }
  return count;
}

int Engine::Start(void (*run)(void*), void* argument) {
  if (start_failures_left_ > 0 &&
      Decide(Choice::kSpurious, 2, /*deviates=*/true) == 1) {
    --start_failures_left_;
    return -1;
  }
  if (threads_used_ == kMaxThreads)
    Fail(FailureKind::kLimit, "too many threads");
  const int thread = threads_used_++;
  memory_.StartThread(thread, current_);
  Prepare(thread, run, argument);
  if (tracing_)
    AddLine(Where(), nullptr, "starts %s", ThreadName(thread).c_str());
  return thread;
}

void Engine::Join(uint32_t threads) {
  Thread& self = threads_[current_];
  self.joins = 0;
  for (int i = 0; i < threads_used_; ++i) {
    if ((threads & Bit(i)) != 0 && threads_[i].state != Thread::kEnded)
      self.joins |= Bit(i);
  }
  if (self.joins != 0) {
    self.state = Thread::kJoining;
    runnable_ &= ~Bit(current_);
    Reschedule();
  }
  for (int i = 0; i < threads_used_; ++i) {
    if ((threads & Bit(i)) != 0) memory_.JoinThread(current_, i);
  }
}

bool Engine::TimePasses(int64_t deadline) {
  if (now_ >= deadline) return true;
  if (Decide(Choice::kTime, 2, /*deviates=*/true) == 0) return false;
  now_ = deadline;
  return true;
}

void* Engine::Allocate(size_t bytes, size_t alignment) {
  if (limits_.reuse_memory) {
    void* const freed = arena.LastFreed(bytes, alignment);
    if (freed != nullptr &&
        Decide(Choice::kReuse, 2, /*deviates=*/false) == 1) {
      arena.TakeFreed(freed);
      return freed;
    }
  }
  void* const block = arena.Allocate(bytes, alignment);
  if (block == nullptr) Fail(FailureKind::kLimit, "out of memory");
  return block;
}

void Engine::Free(void* block) {
  if (!arena.Free(block)) {
    Fail(FailureKind::kUseAfterDestroy,
         ThreadName(current_) + " frees block " +
             std::to_string(arena.NumberOf(block)) + " twice");
  }
  const size_t bytes = arena.BytesOf(block);
  memory_.DestroyRange(block, bytes, current_);
  // Who uses it all the same is to find nothing of use.
  std::memset(block, 0xDD, bytes);
}

void Engine::TooManySteps() {
  Fail(FailureKind::kLivelock,
       "no end after " + std::to_string(limits_.max_steps) + " steps");
}

void Engine::Deadlock() {
  std::string text = "no thread can go on";
  for (int i = 0; i < threads_used_; ++i) {
    const Thread& thread = threads_[i];
    if (thread.state == Thread::kAsleep) {
      std::string name = NameOf(thread.waits_on);
      if (name.empty()) name = "a futex";
      text += "; " + ThreadName(i) + " sleeps on " + name;
    } else if (thread.state == Thread::kWaiting) {
      text += "; " + ThreadName(i) + " waits for " + thread.what;
    } else if (thread.state == Thread::kJoining) {
      text += "; " + ThreadName(i) + " waits for the end of others";
    }
  }
  Fail(FailureKind::kDeadlock, text);
}

void Engine::Fail(FailureKind kind, const std::string& text) {
  use_arena = false;
  exploring = false;
  outcome_->kind = kind;
  outcome_->text = text;
  if (tracing_) AddLine(Where(), nullptr, "%s", ("FAILS: " + text).c_str());
  Fiber::Switch(threads_[current_].fiber, main_);
  __builtin_unreachable();
}

void Engine::Name(const void* address, size_t bytes, const char* name) {
  if (!tracing_) return;  // nobody will read it
  const OutsideArena outside;
  names_->push_back({address, bytes, name});
}

std::string Engine::NameOf(const void* address) const {
  // The latest first: it may be part of what an earlier one names.
  for (size_t i = names_->size(); i > 0; --i) {
    const NamedRange& range = (*names_)[i - 1];
    const auto offset = reinterpret_cast<uintptr_t>(address) -
                        reinterpret_cast<uintptr_t>(range.address);
    if (offset >= range.bytes) continue;
    return offset == 0 ? range.name : range.name + "+" + std::to_string(offset);
  }
  return "";
}

void Engine::AddLine(Where where, const void* place, const char* format, ...) {
  const OutsideArena outside;
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  trace_->push_back({steps_, current_, text, where, place});
}

}  // namespace explore
}  // namespace heddle
