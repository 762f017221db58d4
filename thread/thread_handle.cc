#include "heddle/thread/thread_handle.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "heddle/thread/wait_limit.h"

namespace heddle {

std::string ThreadHandle::name() const { return record_->name(); }

void ThreadHandle::set_name(std::string name) const {
  record_->set_name(std::move(name));
}

std::optional<uint64_t> ThreadHandle::ident() const { return record_->ident(); }

std::optional<uint64_t> ThreadHandle::native_id() const {
  return record_->native_id();
}

bool ThreadHandle::daemon() const { return record_->daemon(); }

bool ThreadHandle::IsAlive() const { return record_->IsAlive(); }

bool ThreadHandle::Join() const { return record_->Join(WaitLimit()); }

bool ThreadHandle::Join(const WaitLimit& limit) const {
  return record_->Join(limit);
}

bool ThreadHandle::RequestStop() const { return record_->RequestStop(); }

std::string ThreadHandle::DebugString() const { return record_->DebugString(); }

std::ostream& operator<<(std::ostream& out, const ThreadHandle& thread) {
  return out << thread.DebugString();
}

}  // namespace heddle
