using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Isolation.Delegates;

/// <summary>A method by the place it has in its assembly, which another process of the same app has loaded from the same file.</summary>
/// <param name="Type">The type that declares it, or that it is called on.</param>
/// <param name="Token">Its metadata token.</param>
/// <param name="Module">The version of the module, by which a file that has been exchanged meanwhile is noticed.</param>
/// <param name="GenericArguments">The type arguments of a generic method.</param>
internal sealed record MethodReference(string Type, int Token, Guid Module, string[] GenericArguments)
{
    internal static MethodReference Of(Delegate method)
    {
        if (method.HasSingleTarget is false) throw new ArgumentException("The delegate has more than one method.", nameof(method));
        var info = method.Method;
        var type = info.DeclaringType;
        if (type is null || type.AssemblyQualifiedName is null || info.Module.Assembly.IsDynamic)
            throw new ArgumentException($"The method '{info.Name}' was made at run time; another process does not have it.", nameof(method));
        // The compiler makes lambdas that capture nothing methods of an object without any field.
        if (!info.IsStatic && !IsEmptyClosure(type))
        {
            throw new ArgumentException($"The method '{type.FullName}.{info.Name}' belongs to an object, or is a lambda that captures something, which another process does not have. "
                + "It must be static, or capture nothing: what it needs goes into the argument.", nameof(method));
        }

        return new MethodReference(type.AssemblyQualifiedName, info.MetadataToken, info.Module.ModuleVersionId,
            info.IsGenericMethod ? [.. info.GetGenericArguments().Select(static argument => argument.AssemblyQualifiedName!)] : []);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The method is one that the app has made a delegate of, so it is there.")]
    [UnconditionalSuppressMessage("Trimming", "IL2057", Justification = "Likewise.")]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "Likewise.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "It runs only where there is a runtime that can be told to.")]
    internal object? Invoke(object? argument)
    {
        var type = System.Type.GetType(Type, throwOnError: true)!;
        if (type.Module.ModuleVersionId != Module) throw new InvalidOperationException($"{type.Assembly.GetName().Name} has been changed since the app was started.");
        var method = (MethodInfo)type.Module.ResolveMethod(Token, type.IsGenericType ? type.GetGenericArguments() : null, null)!;
        // The token is that of the definition; of a generic type it is to be that of its instance.
        method = (MethodInfo)MethodBase.GetMethodFromHandle(method.MethodHandle, type.TypeHandle)!;
        if (GenericArguments.Length > 0) method = method.MakeGenericMethod([.. GenericArguments.Select(static name => System.Type.GetType(name, throwOnError: true)!)]);
        var target = method.IsStatic ? null : RuntimeHelpers.GetUninitializedObject(type);
        return method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, [argument], null);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Fields that are not there cannot hold anything.")]
    private static bool IsEmptyClosure([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.None)] Type type) =>
        type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) &&
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length == 0;
}
