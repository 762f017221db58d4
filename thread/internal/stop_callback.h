// StopCallback<F>: std::stop_callback<F> by a name of Heddle's.
//
// In an ordinary build it is the standard's, at no cost. Under --config=model it
// is one whose destructor waits for a callback that another thread of the model
// is running; the standard's would take that thread for its own, because all of
// a model's threads are one thread of the system.

#ifndef HEDDLE_THREAD_INTERNAL_STOP_CALLBACK_H_
#define HEDDLE_THREAD_INTERNAL_STOP_CALLBACK_H_

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/stop_callback.h"
#else
#include <stop_token>
#endif

namespace heddle {
namespace internal {

#ifdef HEDDLE_MODEL
using explore::StopCallback;
#else
template <typename Callback>
using StopCallback = std::stop_callback<Callback>;
#endif

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_STOP_CALLBACK_H_
