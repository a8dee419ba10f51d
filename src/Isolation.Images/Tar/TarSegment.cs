namespace Isolation.Images.Tar;

/// <summary>A part of a sparse file that is stored; what lies between is a hole.</summary>
internal readonly record struct TarSegment(long Offset, long Length);
