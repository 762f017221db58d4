// What the seams of a model build are made of: the operations that atomics,
// plain data, futexes, threads and the clock become under --config=model.
//
// Each is one step of the execution that is being explored. Outside of an
// execution an atomic is plain memory, and nothing may wait.

#ifndef HEDDLE_TOOLS_EXPLORE_MODEL_H_
#define HEDDLE_TOOLS_EXPLORE_MODEL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heddle/tools/explore/where.h"

namespace heddle {
namespace explore {

// What a read-modify-write does to the value.
enum class Update { kExchange, kAdd, kSubtract, kAnd, kOr, kXor };

// Values are the object's bytes, lowest first, filled up with zeros.
uint64_t AtomicLoad(const void* atomic, size_t bytes, std::memory_order order,
                    Where where);
void AtomicStore(void* atomic, size_t bytes, uint64_t value,
                 std::memory_order order, Where where);
uint64_t AtomicUpdate(void* atomic, size_t bytes, Update update,
                      uint64_t operand, std::memory_order order, Where where);
bool AtomicCompareExchange(void* atomic, size_t bytes, uint64_t& expected,
                           uint64_t desired, std::memory_order success,
                           std::memory_order failure, bool weak, Where where);
void AtomicConstructed(const void* atomic, size_t bytes);
void AtomicDestroyed(const void* atomic);

// No scheduling points: between them nobody else runs, and whether an access
// races does not depend on when it is done. `bytes` is 0 if the object cannot be
// copied byte by byte.
void PlainRead(const void* data, size_t bytes);
void PlainWritten(const void* data, size_t bytes);  // called before the write
void PlainConstructed(const void* data, size_t bytes);
void PlainDestroyed(const void* data);

// As heddle::internal::FutexWait() and its companions; `deadline` counts only
// if `timed`.
bool FutexSleep(const void* word, uint32_t expected, bool timed,
                int64_t deadline);
void FutexWake(const void* word, bool all);

// The model's clock stands still but for timeouts that pass. TimePasses() tells
// whether a moment has come, which may be so whenever it is asked.
int64_t Now();
bool TimePasses(int64_t deadline);

// The system's threads: a number, or -1 if the system refuses.
int StartThread(void (*run)(void*), void* argument);
void JoinThread(int thread);

// The thread that asks: 1 for the body, 2 for the first that is started ...; 0
// outside of an execution.
uint32_t CurrentThread();

// A pointer that each thread has for itself, null at first. `slot` is below 8.
void*& PerThread(int slot);

// Has `end(argument)` called in the calling thread when its function has
// returned, as the destructor of a pthread key is. Replaces an earlier one.
void AtThreadEnd(void (*end)(void*), void* argument);

// Lets other threads go first, if any can go on.
void Yield();

// A step of its own: other threads may come in between. For operations of the
// standard library on what threads share.
void Step(const char* what);

// Waits until somebody notifies the same address: for what is built on the
// engine itself. Unlike a sleep on a futex it does not end for no reason.
void WaitFor(const void* address, const char* what);
void NotifyAll(const void* address);

// A synchronization that the engine does not see: what came before a Release()
// is visible after an Acquire() of what it returned.
const void* Release();
void Acquire(const void* released);

}  // namespace explore
}  // namespace heddle

#endif  // HEDDLE_TOOLS_EXPLORE_MODEL_H_
