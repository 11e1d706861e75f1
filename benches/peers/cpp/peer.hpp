// What a peer in C++ says to `run`, by lines on standard input and output. README.md describes it; protocol/src/lib.rs
// has the same in Rust.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace peer {

constexpr size_t TURNS = 4, SAMPLES = 64, COMPARED = 4;

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
        size_t samples = batch ? TURNS * batch : SAMPLES;
        inputs = take(samples * sizes.front());
        targets = take(samples * sizes.back());
    }
};

// A task as the peer holds it.
struct Work {
    virtual ~Work() = default;
    // So many predictions or steps; the n-th takes sample n mod SAMPLES, batch n mod TURNS. Returns what depends on the last.
    virtual float run(size_t iterations) = 0;
    // The outputs of sample or batch 0, one sample after the other; four samples are enough.
    virtual std::vector<float> outputs() = 0;
};

// The compiler must take what is at `pointer` for used, and for changed.
inline void consume(void *pointer) { asm volatile("" : : "r"(pointer) : "memory"); }

// Answers until the input ends. `load` throws what it cannot.
inline int serve(const std::function<std::unique_ptr<Work>(const Task &)> &load) {
    std::unique_ptr<Work> work;
    size_t outputs = 0;
    for (std::string line; std::getline(std::cin, line);) {
        auto space = line.find(' ');
        std::string verb = line.substr(0, space), rest = line.substr(space + 1);
        if (verb == "load") {
            work.reset();
            try {
                Task task(rest);
                outputs = task.sizes.back();
                work = load(task);
                std::cout << "ok";
            } catch (const std::runtime_error &error) {
                std::cout << "cannot " << error.what();
            }
        } else if (verb == "run") {
            auto iterations = std::stoul(rest);
            auto start = std::chrono::steady_clock::now();
            float last = work->run(iterations);
            std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << ' ' << last;
        } else {
            auto numbers = work->outputs();
            for (size_t i = 0; i < numbers.size() && i < COMPARED * outputs; i++) {
                char text[32];
                std::snprintf(text, sizeof text, "%.9g ", numbers[i]);
                std::cout << text;
            }
        }
        std::cout << std::endl;
    }
    return 0;
}

} // namespace peer
