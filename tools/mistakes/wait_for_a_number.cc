// A limit is a time and has a unit: absl::Seconds(5).
//
// EXPECT: a limit needs a unit

#include "heddle/sync/event.h"

void Mistake() {
  heddle::Event event;
  static_cast<void>(event.Wait(5));
}
