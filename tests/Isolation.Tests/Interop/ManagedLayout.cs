using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Isolation.Tests.Interop;

/// <summary>Where the runtime really puts a struct's fields, which is what pointers to it see; marshalling has no say.</summary>
internal static class ManagedLayout
{
    internal static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    internal static int SizeOf(FieldInfo field) =>
        field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer ? buffer.Length * SizeOf(buffer.ElementType)
        : field.FieldType.IsPointer ? IntPtr.Size
        : SizeOf(field.FieldType);

    internal static int OffsetOf(FieldInfo field)
    {
        var method = new DynamicMethod("offset", typeof(int), [], field.Module, skipVisibility: true);
        var il = method.GetILGenerator();
        var instance = il.DeclareLocal(field.DeclaringType!);
        il.Emit(OpCodes.Ldloca, instance);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ldloca, instance);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ret);
        return (int)method.Invoke(null, [])!;
    }

    internal static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    internal static bool? IsSigned(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.SByte or TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => true,
        TypeCode.Byte or TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.UInt64 => false,
        _ => null,
    };
}
