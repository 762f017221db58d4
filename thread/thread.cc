#include "heddle/thread/thread.h"

#include <ostream>
#include <utility>

#include "heddle/thread/internal/ref_ptr.h"
#include "heddle/thread/internal/thread_record.h"
#include "heddle/thread/thread_handle.h"

namespace heddle {

Thread::~Thread() {
  if (state_) state_->JoinOrLetGo();
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    if (state_) state_->JoinOrLetGo();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Thread::Start() { state_->Start(); }

ThreadHandle Thread::handle() const {
  return ThreadHandle(internal::RefPtr<internal::ThreadRecord>(state_.get()));
}

std::ostream& operator<<(std::ostream& out, const Thread& thread) {
  return out << thread.DebugString();
}

}  // namespace heddle
