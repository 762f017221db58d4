// RefPtr<T>: a counted reference to an object that counts its references itself.
//
// One pointer wide, and what it points to is one allocation; an object may hand
// out references to itself. T has Ref(), which adds a reference, and Unref(),
// which drops one and destroys the object with the last.

#ifndef HEDDLE_THREAD_INTERNAL_REF_PTR_H_
#define HEDDLE_THREAD_INTERNAL_REF_PTR_H_

#include <utility>

namespace heddle {
namespace internal {

template <typename T>
class RefPtr {
 public:
  RefPtr() = default;
  // Adds a reference to `object`, which may be null.
  explicit RefPtr(T* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->Ref();
  }
  // Takes over a reference that the caller has.
  static RefPtr Adopt(T* object) noexcept {
    RefPtr ref;
    ref.object_ = object;
    return ref;
  }
  RefPtr(const RefPtr& other) noexcept : RefPtr(other.object_) {}
  RefPtr(RefPtr&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)) {}
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~RefPtr() {
    if (object_ != nullptr) object_->Unref();
  }

  T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_REF_PTR_H_
