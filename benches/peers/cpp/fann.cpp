// FANN: networks of run-time size. It has no ReLU, no cross-entropy and no Adam.
#include "peer.hpp"
#include <algorithm>
#include <floatfann.h>

struct Network : peer::Work {
    fann *network;
    std::vector<fann_train_data *> batches; // or samples
    bool trains;

    explicit Network(const peer::Task &task) : trains(task.batch) {
        if (task.activation != "tanh") throw std::runtime_error("do ReLU");
        if (trains && (task.optimizer != "sgd" || task.loss != "mse")) throw std::runtime_error("do " + task.optimizer + " with " + task.loss);
        std::vector<unsigned> sizes(task.sizes.begin(), task.sizes.end());
        unsigned inputs = sizes.front(), outputs = sizes.back(), batch = trains ? task.batch : 1;
        network = fann_create_standard_array(sizes.size(), sizes.data());
        fann_set_activation_function_hidden(network, FANN_SIGMOID_SYMMETRIC); // tanh of steepness · z
        fann_set_activation_function_output(network, FANN_LINEAR);
        fann_set_activation_steepness_hidden(network, 1);
        fann_set_activation_steepness_output(network, 1);
        // A neuron's weights, then its bias.
        float *weights = network->weights;
        for (auto &layer : task.layers)
            for (size_t j = 0; j < layer.outputs; j++) {
                weights = std::copy_n(&layer.weights[j * layer.inputs], layer.inputs, weights);
                *weights++ = layer.bias[j];
            }
        // The mean over the batch of half the sum of squares, where ours is the mean of squares over outputs too.
        fann_set_training_algorithm(network, FANN_TRAIN_BATCH);
        fann_set_train_error_function(network, FANN_ERRORFUNC_LINEAR);
        fann_set_learning_rate(network, task.rate * 2 / outputs);
        for (size_t first = 0; first < task.turns * batch; first += batch) {
            auto data = fann_create_train(batch, inputs, outputs);
            for (size_t b = 0; b < batch; b++) {
                std::copy_n(&task.inputs[(first + b) * inputs], inputs, data->input[b]);
                std::copy_n(&task.targets[(first + b) * outputs], outputs, data->output[b]);
            }
            batches.push_back(data);
        }
    }

    ~Network() override {
        fann_destroy(network);
        for (auto data : batches) fann_destroy_train(data);
    }

    float run(peer::Turns turns) override {
        float last = 0;
        for (auto turn : turns)
            if (trains) last = fann_train_epoch(network, batches[turn]);
            else last = fann_run(network, batches[turn]->input[0])[0];
        return last;
    }

    std::vector<float> outputs(size_t turn) override {
        std::vector<float> all;
        auto data = batches[turn];
        for (unsigned b = 0; b < data->num_data; b++) {
            auto y = fann_run(network, data->input[b]);
            all.insert(all.end(), y, y + data->num_output);
        }
        return all;
    }
};

int main() {
    return peer::serve([](const peer::Task &task) { return std::make_unique<Network>(task); });
}
