// Networks of RLtools with static sizes and without allocation; flags choose its plain loops, OpenBLAS or MKL.
#include "peer.hpp"
#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/loss_functions/mse/operations_generic.h>
#include <rl_tools/nn/loss_functions/categorical_cross_entropy/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>

namespace rlt = rl_tools;
using DEVICE = rlt::devices::DEVICE_FACTORY<>;
using TI = DEVICE::index_t;
using POLICY = rlt::numeric_types::Policy<float>;
using rlt::nn::activation_functions::ActivationFunction;
constexpr auto TANH = ActivationFunction::TANH, RELU = ActivationFunction::RELU, IDENTITY = ActivationFunction::IDENTITY;

// RLtools has no plain descent; this is the simplest.
namespace rl_tools {
struct Sgd {
    float rate;
};
template <typename SPEC> void update(DEVICE &, nn::parameters::Gradient::Instance<SPEC> &parameter, Sgd &sgd) {
    constexpr TI SIZE = decltype(parameter.parameters)::SPEC::SIZE;
    for (TI i = 0; i < SIZE; i++) parameter.parameters._data[i] -= sgd.rate * parameter.gradient._data[i];
}
template <typename MODEL> void step(DEVICE &device, Sgd &sgd, MODEL &model) { update(device, model, sgd); }
template <typename MODEL> void reset_optimizer_state(DEVICE &, Sgd &, MODEL &) {}
} // namespace rl_tools

using Adam = rlt::nn::optimizers::Adam<rlt::nn::optimizers::adam::Specification<
    POLICY, TI, rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<POLICY>, false>>;

// A chain of dense layers, the last one without activation.
template <ActivationFunction HIDDEN, TI OUT, TI... REST> struct Chain {
    template <ActivationFunction F>
    using Dense = rlt::nn::layers::dense::BindConfiguration<rlt::nn::layers::dense::Configuration<POLICY, TI, OUT, F>>;
    using Module = rlt::nn_models::sequential::Module<Dense<HIDDEN>, typename Chain<HIDDEN, REST...>::Module>;
};
template <ActivationFunction HIDDEN, TI OUT> struct Chain<HIDDEN, OUT> {
    using Dense = rlt::nn::layers::dense::BindConfiguration<rlt::nn::layers::dense::Configuration<POLICY, TI, OUT, IDENTITY>>;
    using Module = rlt::nn_models::sequential::Module<Dense>;
};

template <typename CAPABILITY, ActivationFunction HIDDEN, TI B, TI IN, TI... SIZES> struct Network : peer::Work {
    using Shape = rlt::tensor::Shape<TI, 1, B, IN>;
    using Model = rlt::nn_models::sequential::Build<CAPABILITY, typename Chain<HIDDEN, SIZES...>::Module, Shape>;
    template <typename SHAPE> using Tensor = rlt::Tensor<rlt::tensor::Specification<float, TI, SHAPE, false>>;
    using Input = Tensor<Shape>;
    using Output = Tensor<typename Model::OUTPUT_SHAPE>;
    static constexpr TI OUT = rlt::get_last(typename Model::OUTPUT_SHAPE{});

    DEVICE device;
    Model model;
    typename Model::template Buffer<false> buffer;
    std::vector<Input> inputs;
    Output output;
    bool rng = false; // nothing is drawn

    explicit Network(const peer::Task &task) : inputs(task.turns) {
        set(model, task.layers.data());
        for (size_t i = 0; i < task.inputs.size(); i++) inputs[i / (B * IN)]._data[i % (B * IN)] = task.inputs[i];
    }

    template <typename MODULE> void set(MODULE &module, const peer::Dense *layer) {
        std::copy(layer->weights.begin(), layer->weights.end(), module.content.weights.parameters._data);
        std::copy(layer->bias.begin(), layer->bias.end(), module.content.biases.parameters._data);
        if constexpr (!std::is_same_v<typename MODULE::NEXT_MODULE, rlt::nn_models::sequential::OutputModule>)
            set(module.next_module, layer + 1);
    }

    float run(peer::Turns turns) override {
        for (auto turn : turns) {
            rlt::evaluate(device, model, inputs[turn], output, buffer, rng);
            peer::consume(output._data);
        }
        return output._data[0];
    }

    std::vector<float> outputs(size_t turn) override {
        rlt::evaluate(device, model, inputs[turn], output, buffer, rng);
        return {output._data, output._data + B * OUT};
    }
};

template <typename OPTIMIZER> struct Parameters { using Type = rlt::nn::parameters::Gradient; };
template <> struct Parameters<Adam> { using Type = rlt::nn::parameters::Adam; };
template <typename OPTIMIZER>
using Gradient = rlt::nn::capability::Gradient<typename Parameters<OPTIMIZER>::Type, false>;

template <typename OPTIMIZER, ActivationFunction HIDDEN, TI B, TI... SIZES>
struct Training : Network<Gradient<OPTIMIZER>, HIDDEN, B, SIZES...> {
    using Base = Network<Gradient<OPTIMIZER>, HIDDEN, B, SIZES...>;
    using Base::device, Base::model, Base::buffer, Base::inputs, Base::rng, Base::OUT;
    using Classes = rlt::Matrix<rlt::matrix::Specification<TI, TI, B, 1, false>>;
    std::vector<typename Base::Output> targets;
    std::vector<Classes> classes;
    typename Base::Output d_output;
    OPTIMIZER optimizer;
    bool cross_entropy;

    explicit Training(const peer::Task &task)
        : Base(task), targets(task.turns), classes(task.turns), cross_entropy(task.loss == "cross-entropy") {
        for (size_t i = 0; i < task.targets.size(); i++) {
            targets[i / (B * OUT)]._data[i % (B * OUT)] = task.targets[i];
            if (task.targets[i] == 1) rlt::set(classes[i / (B * OUT)], i / OUT % B, 0, i % OUT);
        }
        if constexpr (std::is_same_v<OPTIMIZER, Adam>) {
            optimizer.parameters.alpha = task.rate;
            optimizer.parameters.epsilon_sqrt = 0; // Adam as published: no other floor than epsilon
        } else {
            optimizer.rate = task.rate;
        }
        rlt::reset_optimizer_state(device, optimizer, model);
    }

    float run(peer::Turns turns) override {
        for (auto turn : turns) {
            auto &x = inputs[turn];
            rlt::zero_gradient(device, model);
            rlt::forward(device, model, x, buffer, rng);
            auto y = rlt::output(device, model);
            if (cross_entropy)
                rlt::nn::loss_functions::categorical_cross_entropy::gradient(
                    device, rlt::matrix_view(device, y), classes[turn], rlt::matrix_view(device, d_output));
            else
                rlt::nn::loss_functions::mse::gradient(device, y, targets[turn], d_output, 1.0f);
            rlt::backward(device, model, x, d_output, buffer);
            rlt::step(device, optimizer, model);
        }
        return d_output._data[0];
    }
};

int main() {
    return peer::serve([](const peer::Task &task) -> std::unique_ptr<peer::Work> {
        using Forward = rlt::nn::capability::Forward<false>;
        auto &name = task.name;
        if (name == "4-16-16-1 tanh") return std::make_unique<Network<Forward, TANH, 1, 4, 16, 16, 1>>(task);
        if (name == "8-64-64-4 tanh") return std::make_unique<Network<Forward, TANH, 1, 8, 64, 64, 4>>(task);
        if (name == "8-64-64-4 relu") return std::make_unique<Network<Forward, RELU, 1, 8, 64, 64, 4>>(task);
        if (name == "6-64-8-4 relu") return std::make_unique<Network<Forward, RELU, 1, 6, 64, 8, 4>>(task);
        if (name == "64-32-10 tanh") return std::make_unique<Network<Forward, TANH, 1, 64, 32, 10>>(task);
        if (name == "784-128-10 relu") return std::make_unique<Network<Forward, RELU, 1, 784, 128, 10>>(task);
        if (name == "2-4-1 tanh 4 sgd mse") return std::make_unique<Training<rlt::Sgd, TANH, 4, 2, 4, 1>>(task);
        if (name == "64-32-10 tanh 32 sgd cross-entropy")
            return std::make_unique<Training<rlt::Sgd, TANH, 32, 64, 32, 10>>(task);
        if (name == "64-32-10 tanh 32 adam cross-entropy")
            return std::make_unique<Training<Adam, TANH, 32, 64, 32, 10>>(task);
        if (name == "8-64-64-4 tanh 32 adam mse") return std::make_unique<Training<Adam, TANH, 32, 8, 64, 64, 4>>(task);
        if (name == "784-128-10 relu 32 sgd cross-entropy")
            return std::make_unique<Training<rlt::Sgd, RELU, 32, 784, 128, 10>>(task);
        if (name == "784-128-10 relu 32 adam cross-entropy")
            return std::make_unique<Training<Adam, RELU, 32, 784, 128, 10>>(task);
        if (name == "784-512-512-10 relu 128 sgd cross-entropy")
            return std::make_unique<Training<rlt::Sgd, RELU, 128, 784, 512, 512, 10>>(task);
        if (name == "1024-1024-1024-1024-1024 relu 256 sgd mse")
            return std::make_unique<Training<rlt::Sgd, RELU, 256, 1024, 1024, 1024, 1024, 1024>>(task);
        throw std::runtime_error("run " + name);
    });
}
