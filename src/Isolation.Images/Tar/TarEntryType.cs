namespace Isolation.Images.Tar;

/// <summary>What an entry is; extended headers are never seen from outside.</summary>
internal enum TarEntryType
{
    File,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Folder,
    Fifo,
}
