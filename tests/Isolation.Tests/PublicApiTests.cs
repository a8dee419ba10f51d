using System.Reflection;
using Xunit;

namespace Isolation.Tests;

public class PublicApiTests
{
    /// <summary>What users can see of the libraries changes only when somebody means it to.</summary>
    [Theory]
    [InlineData(typeof(IsolatedProcess), "PublicApi.approved.txt")]
    [InlineData(typeof(Isolation.Images.ImageStore), "PublicApi.Images.approved.txt")]
    public void The_public_surface_is_the_approved_one(Type any, string fileName)
    {
        var actual = PublicApi.Describe(any.Assembly);
        if (Environment.GetEnvironmentVariable("ISOLATION_APPROVE") == "1")
        {
            File.WriteAllText(Path.Combine(SourceFolder, fileName), actual);
            return;
        }

        var approved = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, fileName));
        if (actual == approved) return;
        string[] before = Qualified(approved), now = Qualified(actual);
        var difference = before.Except(now).Select(line => "- " + line).Concat(now.Except(before).Select(line => "+ " + line));
        Assert.Fail($"""
            The public surface has changed:
            {string.Join('\n', difference)}
            If that is meant, approve it: ISOLATION_APPROVE=1 dotnet test, and commit tests/Isolation.Tests/{fileName}.
            """);
    }

    /// <summary>The lines with members, each with the type that it belongs to.</summary>
    private static string[] Qualified(string surface)
    {
        var type = "";
        return [.. surface.Split('\n').Select(line => line.StartsWith(' ') ? $"{TypeName(type)}: {line.Trim()}" : type = line)];

        static string TypeName(string header) => header.Split(" : ")[0].Split(' ')[^1];
    }

    private static string SourceFolder =>
        typeof(PublicApiTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SourceFolder").Value!;
}
