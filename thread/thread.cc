#include "heddle/thread/thread.h"

#include <utility>

#include "heddle/thread/internal/thread_state.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {

Thread::~Thread() {
  if (state_ != nullptr) state_->JoinOrLetGo();
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->JoinOrLetGo();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Thread::Start() { state_->Start(); }

bool Thread::Join(const WaitLimit& limit) { return state_->Join(limit); }

}  // namespace heddle
