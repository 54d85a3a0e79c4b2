package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.WriteMode;
import dev.spatz.transformer.DropoutSites;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;

/** The usual one: −ln p of each target, all of them counting the same. */
record NextTokenObjective(Transformer transformer, Sequences train, Sequences validation)
    implements Objective {

  @Override
  public long counted(long sequence) {
    return train.targets(sequence);
  }

  @Override
  public double lossAndGradients(
      WorkerTeam.Worker worker,
      WorkerTeam.Pass pass,
      double scale,
      DropoutSites dropout,
      WriteMode mode,
      ParameterSet gradients) {
    return transformer.lossAndGradients(
        worker.kernels, pass.workspace, pass.inputs, pass.targets, scale, dropout, mode, gradients);
  }

  @Override
  public Evaluation evaluate(long most, int atATime, WorkerTeam team) {
    return Evaluator.evaluate(transformer::loss, validation, most, atATime, team);
  }
}
