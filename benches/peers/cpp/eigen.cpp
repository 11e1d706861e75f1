// Networks of Eigen's matrices. Sizes are fixed at compile time up to the 128 KiB that Eigen allows for that.
#include "peer.hpp"
#include <Eigen/Dense>

using Eigen::Map;

template <int R, int C>
using Matrix = std::conditional_t<(R * C <= 32 * 1024), Eigen::Matrix<float, R, C>, Eigen::MatrixXf>;

struct Tanh {
    static void apply(auto &y) { y = y.array().tanh(); }
    static void derivative(auto &d, const auto &y) { d.array() *= 1 - y.array().square(); }
};
struct Relu {
    static void apply(auto &y) { y = y.array().max(0.0f); }
    static void derivative(auto &d, const auto &y) { d.array() *= (y.array() > 0).template cast<float>(); }
};

struct Optimizer {
    bool adam;
    float rate, power1 = 1, power2 = 1, root = 1, corrected = 0;
    void begin_step() {
        power1 *= 0.9f, power2 *= 0.999f;
        root = 1 / std::sqrt(1 - power2), corrected = rate / (1 - power1);
    }
};

// A parameter with Adam's moments.
template <int R, int C> struct Parameter {
    Matrix<R, C> value{R, C}, gradient{R, C}, first{R, C}, second{R, C};
    explicit Parameter(const Eigen::MatrixXf &initial) : value(initial) { first.setZero(), second.setZero(); }
    // In one pass over the elements.
    void adam(const Optimizer &o) {
        for (Eigen::Index i = 0; i < R * C; i++) {
            float g = gradient.data()[i], &m = first.data()[i], &v = second.data()[i];
            m = 0.9f * m + 0.1f * g;
            v = 0.999f * v + 0.001f * g * g;
            value.data()[i] -= o.corrected * m / (std::sqrt(v) * o.root + 1e-8f);
        }
    }
};

// A layer and all that follow it, on B samples at once, a column each.
template <class Hidden, int B, int IN, int OUT, int... REST> struct Network {
    static constexpr bool LAST = sizeof...(REST) == 0;
    struct End {
        explicit End(const peer::Dense *) {}
    };
    template <class H, int... SIZES> struct Next { using Type = Network<H, B, SIZES...>; };
    template <class H, int ONLY> struct Next<H, ONLY> { using Type = End; };

    Parameter<OUT, IN> weights;
    Parameter<OUT, 1> bias;
    Matrix<OUT, B> y{OUT, B}, d{OUT, B};
    typename Next<Hidden, OUT, REST...>::Type next;

    explicit Network(const peer::Dense *layer)
        : weights(Map<const Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>(layer->weights.data(), OUT, IN)),
          bias(Map<const Eigen::MatrixXf>(layer->bias.data(), OUT, 1)), next(layer + 1) {}

    auto &last() {
        if constexpr (LAST) return *this;
        else return next.last();
    }

    void forward(const auto &x) {
        y.noalias() = weights.value * x;
        y.colwise() += bias.value.col(0);
        if constexpr (!LAST) {
            Hidden::apply(y);
            next.forward(y);
        }
    }

    // From `d`, the gradient with respect to `y`; updates the parameters once they are no longer needed.
    template <class D> void backward(const auto &x, D *d_input, Optimizer &optimizer) {
        if constexpr (!LAST) {
            next.backward(y, &d, optimizer);
            Hidden::derivative(d, y);
        }
        if (d_input) d_input->noalias() = weights.value.transpose() * d;
        if (optimizer.adam) {
            weights.gradient.noalias() = d * x.transpose();
            bias.gradient = d.rowwise().sum();
            weights.adam(optimizer);
            bias.adam(optimizer);
        } else {
            weights.value.noalias() -= (optimizer.rate * d) * x.transpose();
            bias.value -= optimizer.rate * d.rowwise().sum();
        }
    }
};

template <bool TRAINS, class Hidden, int B, int IN, int... REST> struct Peer : peer::Work {
    Network<Hidden, B, IN, REST...> network;
    std::vector<Matrix<IN, B>, Eigen::aligned_allocator<Matrix<IN, B>>> inputs;
    std::vector<Eigen::MatrixXf> targets;
    Optimizer optimizer;
    bool cross_entropy;

    explicit Peer(const peer::Task &task)
        : network(task.layers.data()), optimizer{task.optimizer == "adam", task.rate},
          cross_entropy(task.loss == "cross-entropy") {
        auto outputs = task.sizes.back();
        for (size_t i = 0; i < task.turns; i++) {
            inputs.emplace_back(Map<const Eigen::MatrixXf>(&task.inputs[i * IN * B], IN, B));
            targets.emplace_back(Map<const Eigen::MatrixXf>(&task.targets[i * outputs * B], outputs, B));
        }
    }

    void step(size_t turn) {
        network.forward(inputs[turn]);
        auto &y = network.last().y;
        auto &d = network.last().d;
        if (cross_entropy) {
            for (int b = 0; b < B; b++) {
                d.col(b) = (y.col(b).array() - y.col(b).maxCoeff()).exp();
                d.col(b) = d.col(b) / (d.col(b).sum() * B) - targets[turn].col(b) / B;
            }
        } else {
            d = (y - targets[turn]) * (2.0f / y.size());
        }
        if (optimizer.adam) optimizer.begin_step();
        network.backward(inputs[turn], static_cast<Matrix<IN, B> *>(nullptr), optimizer);
    }

    float run(peer::Turns turns) override {
        for (auto turn : turns) {
            if constexpr (TRAINS) step(turn);
            else network.forward(inputs[turn]);
            peer::consume(network.last().y.data());
        }
        return network.last().y.data()[0];
    }

    std::vector<float> outputs(size_t turn) override {
        network.forward(inputs[turn]);
        auto &y = network.last().y;
        return {y.data(), y.data() + y.size()};
    }
};

int main() {
    return peer::serve([](const peer::Task &task) -> std::unique_ptr<peer::Work> {
        auto &name = task.name;
        if (name == "4-16-16-1 tanh") return std::make_unique<Peer<false, Tanh, 1, 4, 16, 16, 1>>(task);
        if (name == "8-64-64-4 tanh") return std::make_unique<Peer<false, Tanh, 1, 8, 64, 64, 4>>(task);
        if (name == "8-64-64-4 relu") return std::make_unique<Peer<false, Relu, 1, 8, 64, 64, 4>>(task);
        if (name == "6-64-8-4 relu") return std::make_unique<Peer<false, Relu, 1, 6, 64, 8, 4>>(task);
        if (name == "64-32-10 tanh") return std::make_unique<Peer<false, Tanh, 1, 64, 32, 10>>(task);
        if (name == "784-128-10 relu") return std::make_unique<Peer<false, Relu, 1, 784, 128, 10>>(task);
        if (name == "2-4-1 tanh 4 sgd mse") return std::make_unique<Peer<true, Tanh, 4, 2, 4, 1>>(task);
        if (name == "8-64-64-4 tanh 32 adam mse") return std::make_unique<Peer<true, Tanh, 32, 8, 64, 64, 4>>(task);
        if (name.starts_with("64-32-10 tanh 32")) return std::make_unique<Peer<true, Tanh, 32, 64, 32, 10>>(task);
        if (name.starts_with("784-128-10 relu 32")) return std::make_unique<Peer<true, Relu, 32, 784, 128, 10>>(task);
        if (name == "784-512-512-10 relu 128 sgd cross-entropy")
            return std::make_unique<Peer<true, Relu, 128, 784, 512, 512, 10>>(task);
        if (name == "1024-1024-1024-1024-1024 relu 256 sgd mse")
            return std::make_unique<Peer<true, Relu, 256, 1024, 1024, 1024, 1024, 1024>>(task);
        throw std::runtime_error("run " + name);
    });
}
