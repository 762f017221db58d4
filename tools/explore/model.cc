#include "heddle/tools/explore/model.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "heddle/tools/explore/internal/engine.h"
#include "heddle/tools/explore/internal/memory.h"
#include "heddle/tools/explore/internal/view.h"
#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {
namespace {

const char* NameOf(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

const char* NameOf(Update update) {
  switch (update) {
    case Update::kExchange:
      return "exchange";
    case Update::kAdd:
      return "fetch_add";
    case Update::kSubtract:
      return "fetch_sub";
    case Update::kAnd:
      return "fetch_and";
    case Update::kOr:
      return "fetch_or";
    case Update::kXor:
      return "fetch_xor";
  }
  return "?";
}

uint64_t Apply(Update update, uint64_t value, uint64_t operand, size_t bytes) {
  switch (update) {
    case Update::kExchange:
      value = operand;
      break;
    case Update::kAdd:
      value += operand;
      break;
    case Update::kSubtract:
      value -= operand;
      break;
    case Update::kAnd:
      value &= operand;
      break;
    case Update::kOr:
      value |= operand;
      break;
    case Update::kXor:
      value ^= operand;
      break;
  }
  return bytes < 8 ? value & ((uint64_t{1} << (8 * bytes)) - 1) : value;
}

using Number = unsigned long long;  // what %llx prints

Location& Atomic(const void* atomic, size_t bytes, Where where) {
  return engine.memory().Find(atomic, bytes, Location::kAtomic,
                              engine.current(), where);
}

[[noreturn]] void OutsideOfAnExecution(const char* what) {
  std::fprintf(
      stderr,
      "explore: %s outside of Explore(): only a thread of an execution "
      "can wait\n",
      what);
  std::abort();
}

}  // namespace

uint64_t AtomicLoad(const void* atomic, size_t bytes, std::memory_order order,
                    Where where) {
  if (!exploring) {
    uint64_t value = 0;
    std::memcpy(&value, atomic, bytes);
    return value;
  }
  engine.NoteRead();
  engine.Step();
  Location& location = Atomic(atomic, bytes, where);
  const uint64_t value =
      engine.memory().Load(location, engine.current(), order);
  if (engine.tracing()) {
    const bool old = value != location.newest().value;
    engine.AddLine(where, nullptr, "%s.load(%s) = %llx%s",
                   Describe(location).c_str(), NameOf(order), Number{value},
                   old ? ", an old value" : "");
  }
  return value;
}

void AtomicStore(void* atomic, size_t bytes, uint64_t value,
                 std::memory_order order, Where where) {
  if (!exploring) {
    std::memcpy(atomic, &value, bytes);
    return;
  }
  engine.NoteWrite();
  engine.Step();
  Location& location = Atomic(atomic, bytes, where);
  engine.memory().Write(location, engine.current(), value, order);
  if (engine.tracing()) {
    const bool hidden = value != location.newest().value;
    engine.AddLine(where, nullptr, "%s.store(%llx, %s)%s",
                   Describe(location).c_str(), Number{value}, NameOf(order),
                   hidden ? ", before a store that came earlier" : "");
  }
}

uint64_t AtomicUpdate(void* atomic, size_t bytes, Update update,
                      uint64_t operand, std::memory_order order, Where where) {
  if (!exploring) {
    uint64_t value = 0;
    std::memcpy(&value, atomic, bytes);
    const uint64_t changed = Apply(update, value, operand, bytes);
    std::memcpy(atomic, &changed, bytes);
    return value;
  }
  engine.NoteWrite();
  engine.Step();
  Location& location = Atomic(atomic, bytes, where);
  Memory& memory = engine.memory();
  const int thread = engine.current();
  const size_t read = memory.PickForUpdate(location, thread, order);
  const uint64_t value = location.stores[read].value;
  memory.FinishUpdate(location, thread, read,
                      Apply(update, value, operand, bytes), order);
  if (engine.tracing()) {
    engine.AddLine(where, nullptr, "%s.%s(%llx, %s) = %llx",
                   Describe(location).c_str(), NameOf(update), Number{operand},
                   NameOf(order), Number{value});
  }
  return value;
}

bool AtomicCompareExchange(void* atomic, size_t bytes, uint64_t& expected,
                           uint64_t desired, std::memory_order success,
                           std::memory_order failure, bool weak, Where where) {
  if (!exploring) {
    uint64_t value = 0;
    std::memcpy(&value, atomic, bytes);
    const bool equal = value == expected;
    if (equal) std::memcpy(atomic, &desired, bytes);
    expected = value;
    return equal;
  }
  engine.NoteRead();
  engine.Step();
  Location& location = Atomic(atomic, bytes, where);
  const uint64_t wanted = expected;
  const bool done = engine.memory().CompareExchange(
      location, engine.current(), expected, desired, success, failure, weak);
  if (done) engine.NoteWrite();
  if (engine.tracing()) {
    const char* const kind = weak ? "weak" : "strong";
    const std::string name = Describe(location);
    if (done) {
      engine.AddLine(
          where, nullptr, "%s.compare_exchange_%s(%llx -> %llx, %s) = true",
          name.c_str(), kind, Number{wanted}, Number{desired}, NameOf(success));
    } else {
      engine.AddLine(where, nullptr,
                     "%s.compare_exchange_%s(%llx -> %llx, %s) = false: %llx%s",
                     name.c_str(), kind, Number{wanted}, Number{desired},
                     NameOf(failure), Number{expected},
                     expected == wanted ? ", for no reason" : "");
    }
  }
  return done;
}

void AtomicConstructed(const void* atomic, size_t bytes) {
  if (!exploring) return;
  engine.memory().Construct(atomic, bytes, Location::kAtomic, engine.current());
}

void AtomicDestroyed(const void* atomic) {
  if (!exploring) return;
  engine.memory().Destroy(atomic, Location::kAtomic, engine.current());
}

void PlainRead(const void* data, size_t bytes) {
  if (!exploring) return;
  Location& location = engine.memory().Find(data, bytes, Location::kVar,
                                            engine.current(), Where());
  if (engine.tracing()) {
    engine.AddLine(Where(), __builtin_return_address(0), "reads %s",
                   Describe(location).c_str());
  }
  engine.memory().ReadPlain(location, engine.current());
}

void PlainWritten(const void* data, size_t bytes) {
  if (!exploring) return;
  Location& location = engine.memory().Find(data, bytes, Location::kVar,
                                            engine.current(), Where());
  if (engine.tracing()) {
    engine.AddLine(Where(), __builtin_return_address(0), "writes %s",
                   Describe(location).c_str());
  }
  engine.memory().WritePlain(location, engine.current());
}

void PlainConstructed(const void* data, size_t bytes) {
  if (!exploring) return;
  engine.memory().Construct(data, bytes, Location::kVar, engine.current());
}

void PlainDestroyed(const void* data) {
  if (!exploring) return;
  engine.memory().Destroy(data, Location::kVar, engine.current());
}

bool FutexSleep(const void* word, uint32_t expected, bool timed,
                int64_t deadline) {
  if (!exploring) OutsideOfAnExecution("a sleep on a futex");
  engine.NoteRead();
  engine.Step();
  Location& location = Atomic(word, sizeof(uint32_t), Where());
  const auto value = static_cast<uint32_t>(
      engine.memory().ReadNewest(location, engine.current()));
  const std::string name =
      engine.tracing() ? Describe(location) : std::string();
  if (value != expected) {
    if (engine.tracing()) {
      engine.AddLine(Where(), nullptr, "does not sleep on %s: %x, not %x",
                     name.c_str(), value, expected);
    }
    return true;
  }
  if (engine.tracing()) {
    engine.AddLine(Where(), nullptr, "sleeps on %s while it holds %x%s",
                   name.c_str(), value, timed ? ", until a deadline" : "");
  }
  const bool woken = engine.Sleep(word, timed, deadline);
  if (engine.tracing()) {
    engine.AddLine(Where(), nullptr, "wakes up%s",
                   woken ? "" : ": the deadline has passed");
  }
  return woken;
}

void FutexWake(const void* word, bool all) {
  if (!exploring) return;
  engine.NoteWrite();
  engine.Step();
  const int woken = engine.Wake(word, all);
  if (engine.tracing()) {
    engine.AddLine(Where(), nullptr, "wakes %d asleep on %s", woken,
                   engine.NameOf(word).c_str());
  }
}

int64_t Now() { return exploring ? engine.now() : 1'000'000'000; }

bool TimePasses(int64_t deadline) {
  if (!exploring) return Now() >= deadline;
  engine.Step();
  return engine.TimePasses(deadline);
}

int StartThread(void (*run)(void*), void* argument) {
  if (!exploring) OutsideOfAnExecution("a thread is started");
  engine.Step();
  return engine.Start(run, argument);
}

void JoinThread(int thread) {
  if (!exploring) OutsideOfAnExecution("a thread is joined");
  engine.Step();
  engine.Join(Engine::Bit(thread));
}

uint32_t CurrentThread() {
  return exploring ? static_cast<uint32_t>(engine.current()) + 1 : 0;
}

void*& PerThread(int slot) {
  static void* outside[Engine::kPerThreadSlots];
  return exploring ? engine.per_thread(slot) : outside[slot];
}

void AtThreadEnd(void (*end)(void*), void* argument) {
  if (exploring) engine.AtThreadEnd(end, argument);
}

void Yield() {
  if (exploring) engine.LetOthersGo();
}

void Step(const char* what) {
  if (!exploring) return;
  engine.Step();
  if (engine.tracing()) engine.AddLine(Where(), nullptr, "%s", what);
}

void WaitFor(const void* address, const char* what) {
  if (!exploring) OutsideOfAnExecution(what);
  engine.Wait(address, what);
}

void NotifyAll(const void* address) {
  if (exploring) engine.Notify(address);
}

const void* Release() {
  return exploring ? engine.memory().Publish(engine.current()) : nullptr;
}

void Acquire(const void* released) {
  if (!exploring) return;
  engine.memory().Observe(engine.current(),
                          static_cast<const SavedView*>(released));
}

}  // namespace explore
}  // namespace heddle
