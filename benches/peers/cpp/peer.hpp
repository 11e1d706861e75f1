// What a peer in C++ says to `run`, by lines on standard input and output. README.md describes it; protocol/src/lib.rs
// has the same in Rust.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace peer {

struct Dense {
    size_t inputs, outputs;
    std::vector<float> weights, bias; // weights row after row, one an output
};

struct Task {
    std::string name; // `8-64-64-4 tanh` or `8-64-64-4 tanh 32 adam mse`
    std::vector<size_t> sizes;
    std::string activation, optimizer, loss;
    size_t batch = 0; // 0: one sample
    float rate = 0;
    std::vector<Dense> layers;
    size_t turns; // batches, or samples where there is no batch
    std::vector<float> inputs, targets; // sample after sample

    explicit Task(const std::string &line) {
        std::istringstream words(line);
        std::string path, network;
        words >> path >> rate >> std::ws;
        std::getline(words, name);
        words = std::istringstream(name);
        words >> network >> activation >> batch >> optimizer >> loss;
        std::istringstream parts(network);
        for (std::string part; std::getline(parts, part, '-');) sizes.push_back(std::stoul(part));
        std::ifstream file(path, std::ios::binary);
        auto take = [&](size_t count) {
            std::vector<float> numbers(count);
            if (!file.read(reinterpret_cast<char *>(numbers.data()), count * sizeof(float)))
                throw std::runtime_error("read " + path);
            return numbers;
        };
        for (size_t i = 0; i + 1 < sizes.size(); i++) {
            auto weights = take(sizes[i] * sizes[i + 1]);
            layers.push_back({sizes[i], sizes[i + 1], weights, take(sizes[i + 1])});
        }
        auto here = file.tellg();
        size_t rest = file.seekg(0, std::ios::end).tellg() - here;
        file.seekg(here);
        auto samples = rest / sizeof(float) / (sizes.front() + sizes.back());
        turns = samples / (batch ? batch : 1);
        inputs = take(samples * sizes.front());
        targets = take(samples * sizes.back());
    }
};

// The numbers of the batches, or samples where there is no batch, that take turns; after the last comes the first.
struct Turns {
    size_t turn, all, left;
    const Turns &begin() const { return *this; }
    std::default_sentinel_t end() const { return {}; }
    bool operator!=(std::default_sentinel_t) const { return left; }
    size_t operator*() const { return turn; }
    void operator++() { left--, turn = turn + 1 == all ? 0 : turn + 1; }
};

// A task as the peer holds it.
struct Work {
    virtual ~Work() = default;
    // A prediction or a step for each turn. Returns what depends on the last.
    virtual float run(Turns turns) = 0;
    // The outputs of the batch or sample of this turn, one sample after the other.
    virtual std::vector<float> outputs(size_t turn) = 0;
};

// The compiler must take what is at `pointer` for used, and for changed.
inline void consume(void *pointer) { asm volatile("" : : "r"(pointer) : "memory"); }

// Answers until the input ends. `load` throws what it cannot.
inline int serve(const std::function<std::unique_ptr<Work>(const Task &)> &load) {
    std::unique_ptr<Work> work;
    size_t outputs = 0, all = 0;
    for (std::string line; std::getline(std::cin, line);) {
        auto space = line.find(' ');
        std::string verb = line.substr(0, space), rest = line.substr(space + 1);
        if (verb == "load") {
            work.reset();
            try {
                Task task(rest);
                outputs = task.sizes.back(), all = task.turns;
                work = load(task);
                std::cout << "ok";
            } catch (const std::runtime_error &error) {
                std::cout << "cannot " << error.what();
            }
        } else if (verb == "run") {
            Turns turns{0, all, 0};
            std::istringstream(rest) >> turns.turn >> turns.left;
            auto start = std::chrono::steady_clock::now();
            float last = work->run(turns);
            std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << ' ' << last;
        } else {
            std::vector<float> numbers;
            for (size_t turn = 0, count = outputs * std::stoul(rest); numbers.size() < count; turn++) {
                auto more = work->outputs(turn);
                more.resize(std::min(more.size(), count - numbers.size()));
                numbers.insert(numbers.end(), more.begin(), more.end());
            }
            for (float number : numbers) {
                char text[32];
                std::snprintf(text, sizeof text, "%.9g ", number);
                std::cout << text;
            }
        }
        std::cout << std::endl;
    }
    return 0;
}

} // namespace peer
