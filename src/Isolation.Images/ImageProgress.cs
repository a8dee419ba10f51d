namespace Isolation.Images;

/// <summary>How far an import is.</summary>
/// <param name="BytesRead">Bytes of the layers, as they are stored in the archive, that have been read.</param>
/// <param name="TotalBytes">How many will be; layers that the store has already are not among them.</param>
/// <param name="LayersDone">Layers that are in the store.</param>
/// <param name="LayerCount">How many the image has.</param>
/// <param name="Entries">Files, folders and links unpacked so far.</param>
public readonly record struct ImageProgress(long BytesRead, long TotalBytes, int LayersDone, int LayerCount, long Entries);
