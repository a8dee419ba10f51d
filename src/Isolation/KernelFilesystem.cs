namespace Isolation;

internal enum KernelFilesystem
{
    Sysfs,
    DevPts,
    MessageQueue,
    Cgroup,
}
