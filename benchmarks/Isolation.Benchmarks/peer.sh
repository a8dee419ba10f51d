# The job as one does it with unshare(1), mount(8) and pivot_root(8). sh -e peer.sh LOADER LIBRARIES TREE
loader=$1 libraries=$2 tree=$3 root=/tmp
mount -t tmpfs -o nosuid,nodev,mode=755,size=64m tmpfs $root
mkdir $root/bin $root/etc $root/lib $root/data $root/dev $root/proc $root/tmp $root/old
for folder in bin etc lib data; do
  mount --rbind "$tree/$folder" $root/$folder
  mount -o remount,bind,ro,nosuid,nodev $root/$folder
done
mount -t proc -o nosuid,nodev,noexec proc $root/proc
mount -t tmpfs -o nosuid,noexec,mode=755,size=65536 tmpfs $root/dev
for name in null zero full random urandom tty; do
  : >$root/dev/$name
  mount --bind /dev/$name $root/dev/$name
done
mkdir $root/dev/pts $root/dev/shm
mount -t devpts -o nosuid,noexec,newinstance,ptmxmode=0666,mode=0620 devpts $root/dev/pts
mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=64m tmpfs $root/dev/shm
ln -s pts/ptmx $root/dev/ptmx
ln -s /proc/self/fd $root/dev/fd
ln -s /proc/self/fd/0 $root/dev/stdin
ln -s /proc/self/fd/1 $root/dev/stdout
ln -s /proc/self/fd/2 $root/dev/stderr
mount -t tmpfs -o nosuid,nodev,mode=1777,size=256m tmpfs $root/tmp
cd $root
pivot_root . old
# The host's programs are below /old from here on, and so are their libraries.
cd /
/old$loader --library-path "$libraries" /old/bin/umount -l /old
exec /bin/exit
