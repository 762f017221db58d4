// ThreadHandle: one thread, as anybody may hold it.
//
// CurrentThread(), MainThread(), Enumerate() and Thread::handle() give handles.
// A handle is a pointer that shares what is known of the thread: it can be
// copied, compared and hashed, kept longer than the thread lives, and asked of
// any thread, also of those that Heddle did not start. It owns nothing: a
// thread's end is waited for by its Thread, which is the one to start it.
//
// Example:
//
//   for (const ThreadHandle& thread : Enumerate())
//     if (!thread.daemon()) LOG(INFO) << "exit waits for " << thread.name();
//
// Two handles are equal if they are the same thread's. Names need not differ.
//
// Thread safety: a handle is as a pointer is; what it points to may be used by
// any number of threads at once.
// Memory ordering: as Thread's Join() and IsAlive().

#ifndef HEDDLE_THREAD_THREAD_HANDLE_H_
#define HEDDLE_THREAD_THREAD_HANDLE_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

class ThreadHandle {
 public:
  // What was moved from may only be destroyed or assigned to.
  ThreadHandle(const ThreadHandle&) = default;
  ThreadHandle(ThreadHandle&&) noexcept = default;
  ThreadHandle& operator=(const ThreadHandle&) = default;
  ThreadHandle& operator=(ThreadHandle&&) noexcept = default;
  ~ThreadHandle() = default;

  // As of Thread. The main thread is called "MainThread", the N-th thread that
  // asked who it is without being Heddle's "Dummy-N".
  [[nodiscard]] std::string name() const;
  // The system's name follows when a thread names itself, else it stays.
  void set_name(std::string name) const;

  // The thread's number in this process: 1 for the main thread, never used
  // again, none before Start(). And the kernel's id, which may be.
  [[nodiscard]] std::optional<uint64_t> ident() const;
  [[nodiscard]] std::optional<uint64_t> native_id() const;

  // Whether the end of the program does not wait for it. True of threads that
  // Heddle did not start, since nobody can; the main thread is none.
  [[nodiscard]] bool daemon() const;

  // True from Start() until the function has ended; of a thread that Heddle did
  // not start, until its end.
  [[nodiscard]] bool IsAlive() const;

  // As Thread::Join(). Throws std::logic_error for a thread that was not
  // started, for the calling thread, and for those that Heddle did not start,
  // the main thread among them: nothing says when they are over.
  bool Join() const;
  [[nodiscard]] bool Join(const WaitLimit& limit) const;

  // As Thread::RequestStop().
  bool RequestStop() const;

  // "<Thread(search, started daemon 4)>": name, state, ident.
  [[nodiscard]] std::string DebugString() const;
  friend std::ostream& operator<<(std::ostream& out,
                                  const ThreadHandle& thread);

  friend bool operator==(const ThreadHandle& a, const ThreadHandle& b) {
    return a.record_.get() == b.record_.get();
  }
  template <typename H>
  friend H AbslHashValue(H state, const ThreadHandle& thread) {
    return H::combine(std::move(state), thread.record_.get());
  }

  // For Heddle's own use.
  explicit ThreadHandle(internal::RefPtr<internal::ThreadRecord> record)
      : record_(std::move(record)) {}

 private:
  friend struct std::hash<ThreadHandle>;

  internal::RefPtr<internal::ThreadRecord>
      record_;  // null only when moved from
};

}  // namespace heddle

template <>
struct std::hash<heddle::ThreadHandle> {
  size_t operator()(const heddle::ThreadHandle& thread) const {
    return std::hash<const void*>()(thread.record_.get());
  }
};

#endif  // HEDDLE_THREAD_THREAD_HANDLE_H_
