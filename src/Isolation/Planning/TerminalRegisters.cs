namespace Isolation.Planning;

/// <summary>Registers that the steps of a terminal share.</summary>
/// <param name="Instance">The folder of the sandbox's own devpts instance, or <see cref="Stage.StageFormat.NoRegister"/> where the terminal comes by its path.</param>
/// <param name="Peer">The side that the program gets.</param>
internal readonly record struct TerminalRegisters(byte Instance, byte Peer);
