// A thread of mail: what was answered under one subject. Not to be confused with
// "heddle/thread/thread.h", and never found in its place.
#pragma once

#include <string>
#include <vector>

namespace mail {

struct Thread {
  std::string subject;
  std::vector<std::string> senders;
};

}  // namespace mail
