package dev.spatz.kernel;

/**
 * The numbers of one AdamW step, the same for all ranges of a parameter set.
 *
 * @param learningRate the step's learning rate
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 * @param step number of the step, from 1: corrects the moments' bias
 * @param gradientScale factor of the gradients (clipping); 1 for none
 */
public record AdamWStep(
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    long step,
    double gradientScale) {}
