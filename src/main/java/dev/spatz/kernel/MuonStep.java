package dev.spatz.kernel;

/**
 * The numbers of one Muon step, the same for all matrices of a parameter set.
 *
 * @param learningRate the step's learning rate
 * @param momentum decay of the moment
 * @param weightDecay weight decay; the weights are multiplied by 1 − learningRate·weightDecay
 * @param gradientScale factor of the gradients (clipping); 1 for none
 */
public record MuonStep(
    double learningRate, double momentum, double weightDecay, double gradientScale) {}
